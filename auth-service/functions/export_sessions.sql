-- All sessions of the caller that are stored, those that are over included,
-- newest first, from before p_before on.
create or replace function api.export_sessions(
    p_user uuid, p_session uuid, p_before uuid, p_limit bigint, p_now timestamptz
) returns table (
    id uuid, user_agent text, amr text[], auth_time timestamptz, created_at timestamptz,
    rotated_at timestamptz, expires_at timestamptz, ended_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 50 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select s.id, s.user_agent, s.amr, s.auth_time, s.created_at, s.rotated_at, s.expires_at,
            s.ended_at
        from data.sessions s
        where s.user_id = p_user and (p_before is null or s.id < p_before)
        order by s.id desc
        limit p_limit;
end $$;
