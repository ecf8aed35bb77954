-- Brings tasks back from the bin, each with the subtasks that were deleted with
-- it; a part of mutate_tasks. Where the list is gone they come to the inbox,
-- where the parent is gone the task is one of its own. A place that was taken
-- in the meantime is left to whoever has it.
create or replace function data.undelete_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_rev bigint;
    v_outcome text;
begin
    select o.op, t.rev,
           case
               when t.id is null then 'task_not_found'
               when t.deleted_at is null then 'task_not_deleted'
               else 'etag_mismatch'
           end
    into v_op, v_rev, v_outcome
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, etag bigint)
    left join data.tasks t on t.user_id = p_user and t.id = o.id
    where o.op between 0 and 499
      and (t.id is null or t.deleted_at is null or t.rev <> o.etag)
    order by o.op
    limit 1;
    if found then
        perform data.refuse(v_outcome, v_op, v_rev::text);
    end if;

    with recursive back as (
        select o.op, t.id, t.deleted_with, true as named,
               case when l.id is not null then t.list_id
                    else '00000000-0000-0000-0000-000000000000' end as list_id,
               p.id as parent_id
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        join data.tasks t on t.user_id = p_user and t.id = o.id
        left join data.lists l on l.user_id = p_user and l.id = t.list_id and l.deleted_at is null
        left join data.tasks p
            on p.user_id = p_user and p.id = t.parent_id and p.deleted_at is null
            and p.list_id = t.list_id
        where o.op between 0 and 499
        union all
        select b.op, t.id, b.deleted_with, false, b.list_id, t.parent_id
        from back b
        join data.tasks t
            on t.user_id = p_user and t.parent_id = b.id
            and t.deleted_at is not null and t.deleted_with = b.deleted_with
        where b.op between 0 and 499
    ),
    -- One that is named and comes along with another that is, comes along.
    once as (
        select distinct on (b.id) b.* from back b order by b.id, b.named, b.op
    ),
    numbered as (
        select o.*, p_rev + row_number() over (order by o.op, o.named desc, t.position desc) as new_rev
        from once o
        join data.tasks t on t.user_id = p_user and t.id = o.id
        where o.op between 0 and 499
    )
    update data.tasks t
    set deleted_at = null,
        deleted_with = null,
        list_id = n.list_id,
        parent_id = n.parent_id,
        position = case
            when n.list_id <> t.list_id or exists (
                select from data.tasks x
                where x.user_id = p_user and x.list_id = n.list_id
                  and x.place = t.place and x.position = t.position and x.deleted_at is null
            ) then 5000000000000000 - n.new_rev
            else t.position
        end,
        updated_at = p_now,
        rev = n.new_rev
    from numbered n
    where t.user_id = p_user and t.id = n.id and n.op between 0 and 499;
    get diagnostics more = row_count;
    rev := p_rev + more;
end
$$;
