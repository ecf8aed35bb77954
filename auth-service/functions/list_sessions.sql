-- The caller's sessions that live, newest first, from before p_before on.
create or replace function api.list_sessions(
    p_user uuid, p_session uuid, p_before uuid, p_limit bigint, p_now timestamptz
) returns table (
    id uuid, user_agent text, created_at timestamptz, rotated_at timestamptz, expires_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 50 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select s.id, s.user_agent, s.created_at, s.rotated_at, s.expires_at
        from data.sessions s
        where s.user_id = p_user and s.ended_at is null and s.expires_at > p_now
            and (p_before is null or s.id < p_before)
        order by s.id desc
        limit p_limit;
end $$;
