-- What forbids a task to become a step of another; null if nothing does.
create or replace function data.misfit(p_user uuid, p_id uuid, p_parent uuid)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_height bigint;
    v_cycle boolean;
begin
    with recursive below as (
        select p_id as id, 0::bigint as depth
        union all
        select t.id, b.depth + 1
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
        -- The planner expects few, and does not read all subtasks of the user.
        where b.depth between 0 and 99
    )
    select max(b.depth), bool_or(b.id = p_parent) into v_height, v_cycle from below b;
    return case
        when v_cycle then 'parent_cycle'
        when data.ancestors(p_user, p_parent) + 1 + v_height > 5 then 'too_deep'
    end;
end
$$;
