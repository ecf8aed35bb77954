-- Brings tasks back from the bin, each with the subtasks that were deleted with
-- it; a part of mutate_tasks. They come to where the parent is. Where that is
-- gone, or would have them lie too deep, the task is one of its own, and where
-- the list is gone too, in the inbox. A place that was taken in the meantime is
-- left to whoever has it.
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
    v_entangled bigint;
    v_back jsonb;
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

    with recursive back as (
        select o.op, t.id, t.parent_id, t.deleted_with, 0::bigint as depth
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        join data.tasks t on t.user_id = p_user and t.id = o.id and t.deleted_at is not null
        where o.op between 0 and 499
        union all
        select b.op, t.id, t.parent_id, b.deleted_with, b.depth + 1
        from back b
        join data.tasks t
            on t.user_id = p_user and t.parent_id = b.id
            and t.deleted_at is not null and t.deleted_with = b.deleted_with
        where b.op between 0 and 499
    )
    -- One whose parent another of them brings back comes after it, or along.
    select min(b.op) filter (where b.depth = 0 and exists (
               select from back x where x.id = b.parent_id and x.op <> b.op
           )),
           jsonb_agg(jsonb_build_object('op', b.op, 'id', b.id, 'depth', b.depth))
    into v_entangled, v_back
    from back b;
    if v_entangled is not null then
        perform data.refuse('entangled', v_entangled, null);
    elsif v_op is not null then
        perform data.refuse(v_outcome, v_op, v_rev::text);
    end if;

    with back as (
        select o.op, o.id, o.depth, max(o.depth) over (partition by o.op) as height
        from jsonb_to_recordset(v_back) as o (op bigint, id uuid, depth bigint)
        where o.op between 0 and 499
    ),
    named as (
        select b.op, p.id as parent_id,
               coalesce(p.list_id, l.id, '00000000-0000-0000-0000-000000000000') as list_id
        from back b
        join data.tasks t on t.user_id = p_user and t.id = b.id
        left join data.lists l on l.user_id = p_user and l.id = t.list_id and l.deleted_at is null
        left join data.tasks p
            on p.user_id = p_user and p.id = t.parent_id and p.deleted_at is null
            and data.ancestors(p_user, p.id) + 1 + b.height <= 5
        where b.depth = 0
    ),
    numbered as (
        select b.id, n.list_id,
               case when b.depth = 0 then n.parent_id else t.parent_id end as parent_id,
               p_rev + row_number() over (order by b.op, b.depth > 0, t.position desc) as new_rev,
               -- Two of them may have had the same place, one after the other.
               n.list_id = t.list_id and row_number() over (
                   partition by n.list_id, t.list_id, t.position order by b.op
               ) = 1 as stays
        from back b
        join named n on n.op = b.op
        join data.tasks t on t.user_id = p_user and t.id = b.id
    )
    update data.tasks t
    set deleted_at = null,
        deleted_with = null,
        list_id = n.list_id,
        parent_id = n.parent_id,
        position = case
            when n.stays and not exists (
                select from data.tasks x
                where x.user_id = p_user and x.list_id = n.list_id
                  and x.place = t.place and x.position = t.position and x.deleted_at is null
            ) then t.position
            else 5000000000000000 - n.new_rev
        end,
        updated_at = p_now,
        rev = n.new_rev
    from numbered n
    where t.user_id = p_user and t.id = n.id;
    get diagnostics more = row_count;
    rev := p_rev + more;
end
$$;
