-- The sealed secrets of any user's factors, p_limit of them from after this one
-- on, for sealing them anew.
create or replace function api.sealed_factors(p_after_user uuid, p_after uuid, p_limit bigint)
returns table (user_id uuid, id uuid, sealed_secret bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 500 as $$
begin
    perform set_config('app.reseal', 'on', true);
    return query
        select f.user_id, f.id, f.sealed_secret from data.factors f
        where (f.user_id, f.id) > (p_after_user, p_after) and f.confirmed_at is not null
        order by f.user_id, f.id
        limit p_limit;
end $$;
