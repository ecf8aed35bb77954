-- Sets the password by the token of a mail and ends every session. Who reads
-- that mail has the address: it is verified from now on. False if the token is
-- good no more, or the account has another address than it was sent to. Second
-- factors stay if the address was verified before, and an operator's always; if it
-- was not, whoever added them has shown nothing, and they go, as does the name.
create or replace function api.reset_password(
    p_user uuid, p_hash bytea, p_new_hash text, p_pepper_id text,
    p_client jsonb, p_notice jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_payload jsonb;
    v_before data.users;
begin
    perform set_config('app.user_id', p_user::text, true);
    v_payload := data.use_mail_token(p_user, 'reset', p_hash, p_now);
    select u.* into v_before from data.users u
        where u.user_id = p_user and v_payload is not null
            and u.email = coalesce(v_payload ->> 'email', u.email);
    if not found then
        return false;
    end if;
    update data.users
        set password_hash = p_new_hash, pepper_id = p_pepper_id, email_verified = true,
            display_name = case when v_before.email_verified then display_name else '' end,
            updated_at = p_now
        where user_id = p_user;
    if not (v_before.email_verified or v_before.is_admin) then
        perform data.drop_factors(p_user, p_client, p_now);
    end if;
    perform data.forget_devices(p_user, p_now);
    perform data.void_mail_tokens(p_user, array['reset', 'change-old', 'change-new']);
    perform data.audit(p_user, 'password.reset', p_client, null, null, p_now);
    perform data.send_notice(p_user, p_notice, p_now);
    perform data.end_sessions(p_user, null, null, p_now);
    return true;
end $$;
