-- Removes the recovery codes of the user of this statement.
create or replace function data.drop_recovery_codes(p_user uuid)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from data.recovery_codes c where c.user_id = p_user;
    delete from data.factors f where f.user_id = p_user and f.kind = 'recovery_codes';
end $$;
