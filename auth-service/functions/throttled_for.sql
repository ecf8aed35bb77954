-- How long attempts in any of these buckets have to wait; null if they need not.
create or replace function data.throttled_for(p_buckets bytea[], p_now timestamptz)
returns interval language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select max(t.free_at) - p_now from data.throttles t
        where t.bucket = any (p_buckets) and t.free_at > p_now);
end $$;
