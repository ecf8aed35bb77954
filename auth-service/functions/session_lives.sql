-- Whether a session lives.
create or replace function api.session_lives(p_user uuid, p_session uuid, p_now timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return true;
exception when sqlstate 'DU001' then
    return false;
end $$;
