-- Whether everything lives that a token lives with: the session of its user, if
-- it has one, and the service accounts that it names.
create or replace function api.token_lives(
    p_user uuid, p_session uuid, p_accounts uuid[], p_issued_at timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    return data.services_live(p_accounts, p_issued_at)
        and (p_user is null or api.session_lives(p_user, p_session, p_now));
end $$;
