-- Ends all of the caller's sessions but this one; tells how many.
create or replace function api.revoke_other_sessions(
    p_user uuid, p_session uuid, p_client jsonb, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    perform data.acting_in(p_user, p_session, p_now);
    v_count := data.end_sessions(p_user, null, p_session, p_now);
    if v_count > 0 then
        perform data.audit(p_user, 'session.revoked', p_client, null,
            jsonb_build_object('count', v_count), p_now);
    end if;
    return v_count;
end $$;
