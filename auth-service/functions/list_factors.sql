-- The caller's second factors, newest first. Those that were never confirmed are
-- none.
create or replace function api.list_factors(p_user uuid, p_session uuid, p_now timestamptz)
returns table (
    id uuid, kind text, display_name text, confirmed_at timestamptz, last_used_at timestamptz,
    remaining bigint
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 3 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select f.id, f.kind, f.display_name, f.confirmed_at, f.last_used_at,
            (select count(*) from data.recovery_codes c where c.user_id = p_user and c.set_id = f.id)
        from data.factors f
        where f.user_id = p_user and f.confirmed_at is not null
        order by f.confirmed_at desc, f.kind, f.id desc;
end $$;
