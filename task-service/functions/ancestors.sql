-- How many tasks a task lies under.
create or replace function data.ancestors(p_user uuid, p_id uuid)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count bigint;
begin
    with recursive above as (
        select t.parent_id
        from data.tasks t
        where t.user_id = p_user and t.id = p_id
        union all
        select t.parent_id
        from above a
        join data.tasks t on t.user_id = p_user and t.id = a.parent_id
    )
    select count(a.parent_id) into v_count from above a;
    return v_count;
end
$$;
