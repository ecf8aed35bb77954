-- Removes the keys of generations before this one.
create or replace function api.remove_signing_keys(p_before bigint, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    delete from data.signing_keys where generation < p_before;
    get diagnostics v_count = row_count;
    if v_count > 0 then
        perform data.tell_keys(p_now);
    end if;
    return v_count;
end $$;
