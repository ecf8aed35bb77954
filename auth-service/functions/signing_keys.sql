-- Every signing key that is stored, oldest first.
create or replace function api.signing_keys()
returns table (
    generation bigint, algorithm text, public_key jsonb, sealed_private_key bytea,
    activates_at timestamptz, hurried boolean
) language plpgsql stable security definer set search_path = pg_catalog, pg_temp rows 4 as $$
begin
    return query
        select k.generation, k.algorithm, k.public_key, k.sealed_private_key, k.activates_at, k.hurried
        from data.signing_keys k order by k.generation;
end $$;
