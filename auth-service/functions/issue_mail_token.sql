-- Stores the hash of the token in a mail; the one before of its kind is void.
-- False if that one was issued less than a minute ago. Called again with the
-- same token, it changes nothing and is true again.
create or replace function data.issue_mail_token(
    p_user uuid, p_mail jsonb, p_payload jsonb, p_now timestamptz
) returns boolean language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_hash bytea := decode(p_mail #>> '{token,hash}', 'hex');
begin
    insert into data.mail_tokens as t (user_id, kind, hash, payload, created_at, expires_at)
    values (
        p_user, p_mail #>> '{token,kind}', v_hash, p_payload, p_now,
        (p_mail #>> '{token,expires_at}')::timestamptz
    )
    on conflict (user_id, kind) do update set
        hash = excluded.hash, payload = excluded.payload, created_at = excluded.created_at,
        expires_at = excluded.expires_at,
        used_at = case when t.hash = excluded.hash then t.used_at end
        where t.hash = excluded.hash or t.created_at <= p_now - interval '1 minute';
    return found;
end $$;
