-- Stores the key of a generation. Of replicas that try at once, one succeeds.
create or replace function api.add_signing_key(
    p_generation bigint, p_kid text, p_algorithm text, p_public_key jsonb,
    p_sealed_private_key bytea, p_activates_at timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into data.signing_keys
        (generation, kid, algorithm, public_key, sealed_private_key, activates_at, created_at)
    values (p_generation, p_kid, p_algorithm, p_public_key, p_sealed_private_key, p_activates_at, p_now)
    on conflict do nothing;
    if not found then
        return false;
    end if;
    update data.signing_keys set rev = data.tell_keys(p_now) where generation = p_generation;
    return true;
end $$;
