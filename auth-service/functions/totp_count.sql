-- How many authenticators the user of this statement has.
create or replace function data.totp_count(p_user uuid)
returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select count(*) from data.factors f
        where f.user_id = p_user and f.kind = 'totp' and f.confirmed_at is not null);
end $$;
