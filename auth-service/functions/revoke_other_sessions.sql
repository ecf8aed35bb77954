-- Ends all of the caller's sessions but this one; tells how many.
create or replace function api.revoke_other_sessions(
    p_user uuid, p_session uuid, p_client jsonb, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    return data.end_sessions(p_user, null, p_session, p_now, 'session.revoked', p_client);
end $$;
