-- Counts one of whatever the bucket stands for; or tells, in milliseconds, how
-- long it has to wait.
create or replace function api.take_turn(p_bucket bytea, p_rule jsonb, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    return ceil(extract(epoch from coalesce(
        data.throttled_for(array[p_bucket], p_now),
        data.count_attempt(p_bucket, p_rule, p_now))) * 1000)::bigint;
end $$;
