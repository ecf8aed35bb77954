-- Replaces the sealed secret of a factor by the same secret, sealed anew. Nothing
-- happens if it is another one by now.
create or replace function api.reseal_factor(p_user uuid, p_factor uuid, p_seen bytea, p_sealed bytea)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.factors f set sealed_secret = p_sealed
        where f.user_id = p_user and f.id = p_factor and f.sealed_secret = p_seen;
end $$;
