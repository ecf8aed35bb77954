-- Removes every second factor of the user of this statement, confirmed or not, and
-- what was counted of wrong codes.
create or replace function data.drop_factors(p_user uuid, p_client jsonb, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if data.has_factor(p_user) then
        perform data.audit(p_user, 'factor.removed', p_client, null,
            jsonb_build_object('kind', 'totp'), p_now);
    end if;
    delete from data.recovery_codes c where c.user_id = p_user;
    delete from data.factors f where f.user_id = p_user;
    update data.users u set wrong_codes = 0, codes_from = null
        where u.user_id = p_user and u.wrong_codes > 0;
end $$;
