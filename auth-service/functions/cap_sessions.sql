-- Ends the oldest sessions of p_user beyond p_client -> 'settles' ->
-- 'max_sessions', never p_session, which was just opened.
create or replace function data.cap_sessions(
    p_user uuid, p_session uuid, p_client jsonb, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_most bigint := (p_client #>> '{settles,max_sessions}')::bigint;
    v_oldest uuid[];
begin
    select array_agg(s.id) into v_oldest from (
        select o.id, row_number() over (order by o.id desc) as place
        from data.sessions o
        where o.user_id = p_user and o.ended_at is null and o.expires_at > p_now and o.id <> p_session
    ) s where s.place >= v_most;
    if v_oldest is null then
        return;
    end if;
    perform data.audit(p_user, 'session.displaced', p_client, null,
        jsonb_build_object('count', cardinality(v_oldest)), p_now);
    perform data.end_sessions(p_user, v_oldest, null, p_now);
end $$;
