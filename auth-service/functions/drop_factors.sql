-- Removes every second factor of the user of this statement, confirmed or not, and
-- what was counted of wrong codes.
create or replace function data.drop_factors(p_user uuid, p_client jsonb, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform data.audit(p_user, 'factor.removed', p_client, null,
            jsonb_build_object('kind', dropped.kind), p_now)
        from (
            select distinct f.kind from data.factors f
            where f.user_id = p_user and f.kind <> 'recovery_codes' and f.confirmed_at is not null
            order by f.kind
        ) dropped;
    delete from data.recovery_codes c where c.user_id = p_user;
    delete from data.factors f where f.user_id = p_user;
    update data.users u set wrong_codes = 0, codes_from = null, passkeys_from = p_now
        where u.user_id = p_user;
end $$;
