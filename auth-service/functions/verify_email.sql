-- Takes the token of a mail as the proof that an address is its reader's.
-- Outcomes:
--   verified  the address of the account is its owner's
--   agreed    one of two addresses has agreed to the change
--   changed   both have: the account has the new one
--   taken     another account has the address by now
--   invalid   the token is good no more
create or replace function api.verify_email(
    p_user uuid, p_kind text, p_hash bytea, p_client jsonb, p_notice jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_payload jsonb;
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_kind = 'sign-up' then
        -- All of them go with the first that is used, and there is no user to lock: of
        -- two that are used at once, the second waits here and holds nothing.
        perform from data.mail_tokens t
            where t.user_id = p_user and t.kind = 'sign-up' order by t.hash for update;
    end if;
    v_payload := data.use_mail_token(p_user, p_kind, p_hash, p_now);
    if v_payload is null then
        return 'invalid';
    end if;
    if p_kind = 'sign-up' then
        return data.finish_sign_up(p_user, v_payload, p_client, p_now);
    end if;
    if p_kind in ('change-old', 'change-new') then
        return data.agree_to_change(p_user, p_kind, v_payload, p_client, p_notice, p_now);
    end if;
    update data.users u set email_verified = true, updated_at = p_now
        where u.user_id = p_user and u.email = v_payload ->> 'email';
    if not found then
        return 'invalid';
    end if;
    delete from data.mail_tokens t
        where t.user_id = p_user and t.kind = 'verify' and t.used_at is null;
    perform data.audit(p_user, 'email.verified', p_client, null, null, p_now);
    return 'verified';
end $$;
