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
    v_rows jsonb := p_ops;
    v_op bigint;
    v_count bigint;
begin
    if (data.targets(p_user, p_ops)).above then
        with recursive below as (
            select o.op, o.id, true as named
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            union all
            select b.op, t.id, false
            from below b
            join data.tasks t
                on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
            where b.op between 0 and 499
        ),
        taken as (
            select b.id, min(b.op) as op, min(b.op) filter (where b.named) as asked
            from below b
            group by b.id
        ),
        numbered as (
            select d.*, row_number() over (order by d.op, d.asked is null, d.id) as place
            from taken d
        ),
        grouped as (
            select n.*, min(n.place) over (partition by n.op) as first from numbered n
        )
        -- A task that an earlier operation takes along is not there any more.
        select min(g.asked) filter (where g.op < g.asked),
               jsonb_agg(jsonb_build_object('id', g.id, 'first', g.first) order by g.place)
        into v_op, v_rows
        from grouped g;
        if v_op is not null then
            perform data.refuse('task_not_found', v_op, null);
        end if;
    end if;

    update data.tasks t
    set deleted_at = p_now,
        deleted_with = p_rev + coalesce(r.first, r.place),
        updated_at = p_now,
        rev = p_rev + r.place
    from rows from (
        jsonb_to_recordset(v_rows) as (id uuid, first bigint)
    ) with ordinality as r (id, first, place)
    where t.user_id = p_user and t.id = r.id
      and r.place between 1 and jsonb_array_length(v_rows);
    get diagnostics v_count = row_count;
    rev := p_rev + v_count;
    more := -v_count;
end
$$;
