-- The factors that can end a sign-in of this user: the recovery codes only while
-- some are left. The secrets are sealed.
create or replace function data.known_factors(
    p_user uuid, out ids uuid[], out kinds text[], out secrets bytea[]
) language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    select coalesce(array_agg(f.id order by f.id), '{}'),
        coalesce(array_agg(f.kind order by f.id), '{}'),
        coalesce(array_agg(f.sealed_secret order by f.id), '{}')
        into ids, kinds, secrets
        from data.factors f
        where f.user_id = p_user and f.confirmed_at is not null
            and (f.kind <> 'recovery_codes' or exists (
                select from data.recovery_codes c where c.user_id = p_user and c.set_id = f.id));
end $$;
