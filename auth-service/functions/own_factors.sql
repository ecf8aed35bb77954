-- The caller's factors as data.known_factors finds them: what a proof of who the
-- caller is will take one of.
create or replace function api.own_factors(p_user uuid, p_session uuid, p_now timestamptz)
returns table (factor_ids uuid[], factor_kinds text[], factor_secrets bytea[])
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query select k.ids, k.kinds, k.secrets from data.known_factors(p_user) k;
end $$;
