-- Ends all of the caller's sessions but this one; tells how many.
create or replace function api.revoke_other_sessions(p_user uuid, p_session uuid, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    perform data.acting_in(p_user, p_session, p_now);
    update data.sessions set ended_at = p_now
        where user_id = p_user and id <> p_session and ended_at is null and expires_at > p_now;
    get diagnostics v_count = row_count;
    return v_count;
end $$;
