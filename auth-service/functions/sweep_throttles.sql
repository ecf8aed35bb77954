-- Removes up to p_limit throttles that hold nobody back any more.
create or replace function api.sweep_throttles(p_now timestamptz, p_limit bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    delete from data.throttles t using (
        select o.bucket from data.throttles o where o.expires_at < p_now
        limit p_limit for update skip locked
    ) over where t.bucket = over.bucket;
    get diagnostics v_count = row_count;
    return v_count;
end $$;
