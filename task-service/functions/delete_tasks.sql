-- Moves tasks to the bin, each with its subtasks; a part of mutate_tasks. What
-- one operation takes along has the revision of its task as deleted_with.
create or replace function data.delete_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_count bigint;
begin
    perform data.check_targets(p_user, p_ops);

    -- A task that an earlier operation takes along is not there any more.
    with recursive below as (
        select o.op, o.id
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        union all
        select b.op, t.id
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
    )
    select o.op into v_op
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
    join below b on b.id = o.id and b.op < o.op
    order by o.op
    limit 1;
    if found then
        perform data.refuse('task_not_found', v_op, null);
    end if;

    with recursive below as (
        select o.op, o.id, true as named
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        union all
        select b.op, t.id, false
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
    ),
    taken as (
        select b.id, min(b.op) as op, bool_or(b.named) as named from below b group by b.id
    ),
    numbered as (
        select d.id, d.op, p_rev + row_number() over (order by d.op, not d.named, d.id) as new_rev
        from taken d
    ),
    grouped as (
        select n.id, n.new_rev, min(n.new_rev) over (partition by n.op) as first_rev
        from numbered n
    )
    update data.tasks t
    set deleted_at = p_now,
        deleted_with = g.first_rev,
        updated_at = p_now,
        rev = g.new_rev
    from grouped g
    where t.user_id = p_user and t.id = g.id;
    get diagnostics v_count = row_count;
    rev := p_rev + v_count;
    more := -v_count;
end
$$;
