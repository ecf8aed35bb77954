-- Replaces the password p_seen_hash, ends every other session, has every device be
-- unknown again and a change of the address that was asked for be void, and tells the
-- owner by mail. False if the password is another one by now. Called again, it
-- changes nothing and is true.
create or replace function api.change_password(
    p_user uuid, p_session uuid, p_seen_hash text, p_new_hash text, p_pepper_id text,
    p_client jsonb, p_notice jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    update data.users
        set password_hash = p_new_hash, pepper_id = p_pepper_id, updated_at = p_now
        where user_id = p_user and password_hash in (p_seen_hash, p_new_hash);
    if not found then
        return false;
    end if;
    perform data.settle_sign_in(p_client, p_now);
    perform data.forget_devices(p_user, p_now);
    -- Links to reset it stay good: whoever knows the password must not be able to keep
    -- the reader of the mails from taking the account back.
    perform data.void_mail_tokens(p_user, array['change-old', 'change-new']);
    perform data.audit(p_user, 'password.changed', p_client, p_session, null, p_now);
    perform data.send_notice(p_user, p_notice, p_now);
    perform data.end_sessions(p_user, null, p_session, p_now);
    return true;
end $$;
