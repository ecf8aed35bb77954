-- Removes up to p_limit sessions, of any user, that were over before p_before.
create or replace function api.sweep_sessions(p_before timestamptz, p_limit bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    perform set_config('app.sweep', 'on', true);
    delete from data.sessions s using (
        select o.user_id, o.id from data.sessions o
        where least(o.expires_at, o.ended_at) < p_before limit p_limit
    ) over where s.user_id = over.user_id and s.id = over.id;
    get diagnostics v_count = row_count;
    return v_count;
end $$;
