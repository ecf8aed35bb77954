-- The caller's stored password, and the factors that are asked for beside it.
create or replace function api.own_password(p_user uuid, p_session uuid, p_now timestamptz)
returns table (
    password_hash text, pepper_id text,
    factor_ids uuid[], factor_kinds text[], factor_secrets bytea[]
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select u.password_hash, u.pepper_id, k.ids, k.kinds, k.secrets
        from data.users u cross join data.known_factors(p_user) k
        where u.user_id = p_user;
end $$;
