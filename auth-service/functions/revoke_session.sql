-- Ends one of the caller's sessions. False if there is none that lives.
create or replace function api.revoke_session(
    p_user uuid, p_session uuid, p_target uuid, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    update data.sessions set ended_at = p_now
        where user_id = p_user and id = p_target and ended_at is null and expires_at > p_now;
    return found;
end $$;
