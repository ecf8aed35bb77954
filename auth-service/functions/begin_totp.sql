-- Begins to add an authenticator; what was begun before is forgotten. False if
-- the caller has p_most of them. Called again, it changes nothing.
create or replace function api.begin_totp(
    p_user uuid, p_session uuid, p_factor uuid, p_display_name text,
    p_most bigint, p_until timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    if data.count_factors(p_user, 'totp') >= p_most then
        return false;
    end if;
    delete from data.factors f where f.user_id = p_user and f.confirmed_at is null;
    insert into data.factors (user_id, id, kind, display_name, created_at, pending_until)
        values (p_user, p_factor, 'totp', p_display_name, p_now, p_until)
        on conflict do nothing;
    return true;
end $$;
