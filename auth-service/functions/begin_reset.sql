-- Whose password a token may set; no row if it is good no more. Counts that with
-- p_bucket, or tells how long it has to wait, and then nothing else: what follows is
-- work.
create or replace function api.begin_reset(
    p_user uuid, p_hash bytea, p_bucket bytea, p_rule jsonb, p_now timestamptz
) returns table (retry_after_ms bigint, email text, display_name text)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_wait bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    select u.email, u.display_name into email, display_name
        from data.mail_tokens t join data.users u on u.user_id = t.user_id
        where t.user_id = p_user and t.kind = 'reset' and t.hash = p_hash
            and t.used_at is null and t.expires_at > p_now
            and u.email = coalesce(t.payload ->> 'email', u.email);
    if not found then
        return;
    end if;
    v_wait := api.take_turn(p_bucket, p_rule, p_now);
    if v_wait is null then
        return next;
    else
        return query select v_wait, null::text, null::text;
    end if;
end $$;
