-- Uses a token up, and tells what it allows; null if it is good no more. The
-- user's row is locked first, as by everything else that changes an account.
create or replace function data.use_mail_token(
    p_user uuid, p_kind text, p_hash bytea, p_now timestamptz
) returns jsonb language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_payload jsonb;
begin
    perform from data.users where user_id = p_user for update;
    update data.mail_tokens set used_at = p_now
        where user_id = p_user and kind = p_kind and hash = p_hash
            and used_at is null and expires_at > p_now
        returning payload into v_payload;
    return v_payload;
end $$;
