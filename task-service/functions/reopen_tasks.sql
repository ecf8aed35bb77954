-- Opens tasks again, each with the subtasks that were closed together with it;
-- a part of mutate_tasks. A next occurrence that nobody touched goes again.
-- Reopening what is open changes nothing.
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
            select o.op, n.id, n.id as root
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is not null
            join data.tasks n on n.user_id = p_user and n.id = t.next_id and n.deleted_at is null
            where o.op between 0 and 499
            union all
            select x.op, n.id, x.root
            from next x
            join data.tasks n on n.user_id = p_user and n.parent_id = x.id and n.deleted_at is null
            where x.op between 0 and 499
        )
        select jsonb_agg(jsonb_build_object('op', u.op, 'id', u.root))
        into v_untouched
        from (
            select x.op, x.root
            from next x
            join data.tasks n on n.user_id = p_user and n.id = x.id
            where x.op between 0 and 499
            group by x.op, x.root
            having bool_and(n.updated_at = n.created_at and n.completed_at is null)
        ) u;
        if v_untouched is not null then
            select d.rev, d.more into v_rev, more
            from data.delete_tasks(p_user, p_now, p_rev, v_untouched) d;
        end if;
    end if;

    if v_tasks.above or v_tasks.open then
        with recursive back as (
            select o.op, t.id, t.completed_with
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is not null
            where o.op between 0 and 499
            union all
            select b.op, t.id, b.completed_with
            from back b
            join data.tasks t
                on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
                and t.completed_with = b.completed_with
            where b.op between 0 and 499
        )
        select jsonb_agg(jsonb_build_object('id', d.id) order by d.op, d.id)
        into v_rows
        from (select b.id, min(b.op) as op from back b group by b.id) d;
    end if;

    update data.tasks t
    set completed_at = null,
        cancelled = false,
        completed_with = null,
        next_id = null,
        updated_at = p_now,
        rev = v_rev + r.place
    from rows from (jsonb_to_recordset(v_rows) as (id uuid)) with ordinality as r (id, place)
    where t.user_id = p_user and t.id = r.id
      and r.place between 1 and jsonb_array_length(v_rows);
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
end
$$;
