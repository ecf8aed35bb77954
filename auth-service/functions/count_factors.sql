-- How many factors of this kind the user of this statement has.
create or replace function data.count_factors(p_user uuid, p_kind text)
returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    return (
        select count(*) from data.factors f
        where f.user_id = p_user and f.kind = p_kind and f.confirmed_at is not null);
end $$;
