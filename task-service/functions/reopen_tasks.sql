-- Opens tasks again, each with the subtasks that were closed together with it;
-- a part of mutate_tasks. A next occurrence that nobody touched goes again, and
-- gives its place back, unless the task was put elsewhere meanwhile. Reopening
-- what is open changes nothing.
create or replace function data.reopen_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tasks record;
    v_rows jsonb := p_ops;
    v_untouched jsonb;
    v_rev bigint := p_rev;
    v_count bigint;
begin
    v_tasks := data.targets(p_user, p_ops);
    more := 0;
    if v_tasks.recurs then
        with recursive next as (
            select o.op, o.id as task, n.id, n.id as root,
                   -- Where it was put when it was closed.
                   case when n.list_id = t.list_id
                         and t.position = 5000000000000000 - t.completed_with
                        then n.position end as place
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is not null
            join data.tasks n on n.user_id = p_user and n.id = t.next_id and n.deleted_at is null
            where o.op between 0 and 499
            union all
            select x.op, x.task, n.id, x.root, x.place
            from next x
            join data.tasks n on n.user_id = p_user and n.parent_id = x.id and n.deleted_at is null
            where x.op between 0 and 499
        )
        select jsonb_agg(jsonb_build_object(
            'op', u.op, 'id', u.root, 'task', u.task, 'place', u.place
        ))
        into v_untouched
        from (
            select x.op, x.task, x.root, x.place
            from next x
            join data.tasks n on n.user_id = p_user and n.id = x.id
            where x.op between 0 and 499
            group by x.op, x.task, x.root, x.place
            having bool_and(n.updated_at = n.created_at and n.completed_at is null)
        ) u;
        if v_untouched is not null then
            select d.rev, d.more into v_rev, more
            from data.delete_tasks(p_user, p_now, p_rev, v_untouched) d;
        end if;
    end if;

    if v_tasks.above or v_tasks.open or v_untouched is not null then
        -- Between two that were closed together may lie one that was closed before.
        with recursive below as (
            select o.op, t.id, t.completed_with, true as together
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is not null
            where o.op between 0 and 499
            union all
            select b.op, t.id, b.completed_with, coalesce(t.completed_with = b.completed_with, false)
            from below b
            join data.tasks t
                on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
            where b.op between 0 and 499
        ),
        back as (
            select b.id, min(b.op) as op from below b where b.together group by b.id
        )
        select jsonb_agg(jsonb_build_object('id', b.id, 'position', n.place) order by b.op, b.id)
        into v_rows
        from back b
        left join jsonb_to_recordset(v_untouched) as n (task uuid, place numeric)
            on n.task = b.id;
    end if;

    update data.tasks t
    set completed_at = null,
        cancelled = false,
        completed_with = null,
        next_id = null,
        position = coalesce(r.position, t.position),
        updated_at = p_now,
        rev = v_rev + r.place
    from rows from (
        jsonb_to_recordset(v_rows) as (id uuid, "position" numeric)
    ) with ordinality as r (id, "position", place)
    where t.user_id = p_user and t.id = r.id
      and r.place between 1 and jsonb_array_length(v_rows);
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
end
$$;
