-- Notes that the attempt p_attempts was in vain: the next one is at p_retry_at,
-- or never, if it is null; then the mail is forgotten as by api.mail_sent. Nothing
-- happens if another sender has taken the mail meanwhile.
create or replace function api.mail_failed(
    p_user uuid, p_id uuid, p_attempts bigint, p_retry_at timestamptz
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.outbox
        set next_attempt_at = p_retry_at,
            parameters = case when p_retry_at is null then '{}' else parameters end,
            recipient = case
                when p_retry_at is null then data.recipient_kept(p_user, recipient) else recipient end
        where user_id = p_user and id = p_id and attempts = p_attempts and sent_at is null;
end $$;
