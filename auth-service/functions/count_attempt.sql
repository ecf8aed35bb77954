-- Counts an attempt, or tells how long it has to wait. Of attempts at once no
-- more are counted than the rule lets through. Where waits grow nothing is forgotten
-- while one lasts: whoever goes on as soon as they may waits longer each time, and
-- whoever stays away for a while starts anew.
create or replace function data.count_attempt(p_bucket bytea, p_rule jsonb, p_now timestamptz)
returns interval language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into data.throttles as t
        (bucket, attempts, counted_at, free_at, noted, noted_at, expires_at)
    select p_bucket, n.attempts, n.counted_at, n.free_at, 0, p_now, n.expires_at
        from data.throttle_after(0, p_now, p_rule, p_now) n
    on conflict (bucket) do update
        set (attempts, counted_at, free_at, expires_at) = (
            select n.attempts, n.counted_at, n.free_at, n.expires_at
            from data.throttle_after(
                t.attempts,
                case when p_rule ? 'first' then greatest(t.counted_at, t.free_at)
                    else t.counted_at end,
                p_rule, p_now) n)
        where t.free_at <= p_now;
    if found then
        return null;
    end if;
    return data.throttled_for(array[p_bucket], p_now);
end $$;
