-- Ends one of the caller's sessions. False if there is none that lives.
create or replace function api.revoke_session(
    p_user uuid, p_session uuid, p_target uuid, p_client jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    return data.end_sessions(
        p_user, array[p_target], null, p_now, 'session.revoked', p_client) > 0;
end $$;
