-- Closes tasks, with their open subtasks where forced; a part of mutate_tasks.
-- What one operation closes has the revision of its task as completed_with.
-- Closing what is closed changes nothing.
--
-- A task that recurs is followed by its next occurrence, unless it is closed
-- along with another. When that is, the service works out: the operation says
-- what it was worked out from. What the tasks are like that are not like that is
-- told as unknown. They are closed all the same, without a next occurrence, so
-- that it can be told of later steps too: the batch ends with the outcome recurs
-- then. If p_last says that this is the last step, nothing more is done.
create or replace function data.complete_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb, p_last boolean,
    out rev bigint, out more bigint, out unknown jsonb
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tasks record;
    v_ops jsonb := p_ops;
    v_rows jsonb := p_ops;
    v_op bigint;
    v_rev bigint := p_rev;
    v_count bigint;
begin
    v_tasks := data.targets(p_user, p_ops);
    more := 0;
    if v_tasks.recurs then
        with recursive above as (
            select o.op, t.parent_id
            from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
            join data.tasks t on t.user_id = p_user and t.id = o.id
            where o.op between 0 and 499 and t.completed_at is null and t.rrule is not null
            union all
            select a.op, t.parent_id
            from above a
            join data.tasks t on t.user_id = p_user and t.id = a.parent_id
            where a.op between 0 and 499
        ),
        along as (
            select distinct a.op
            from above a
            join jsonb_to_recordset(p_ops) as o (op bigint, id uuid, force boolean)
                on o.id = a.parent_id and o.force and o.op < a.op
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is null
            where o.op between 0 and 499
        ),
        recurring as (
            select e.op as ops, o.op, t.completed_at is null as open, l.op is not null as along,
                   data.recurrence_of(t) as recurrence,
                   o.known is distinct from data.recurrence_of(t) as unknown
            from jsonb_array_elements(p_ops) with ordinality as e (op, place)
            cross join lateral jsonb_to_record(e.op) as o (op bigint, id uuid, known jsonb)
            join data.tasks t on t.user_id = p_user and t.id = o.id
            left join along l on l.op = o.op
            where e.place between 1 and jsonb_array_length(p_ops)
        )
        select jsonb_agg(r.recurrence || jsonb_build_object('op', r.op)) filter (
                   where r.recurrence is not null and r.open and r.unknown and not r.along
               ),
               jsonb_agg(case when r.along or r.unknown then r.ops - 'next_date' else r.ops end)
        into unknown, v_ops
        from recurring r;
        if unknown is not null and p_last then
            rev := p_rev;
            return;
        end if;
        select c.rev, c.more into v_rev, more
        from data.repeat_tasks(p_user, p_now, p_rev, v_ops) c;
    end if;

    if v_tasks.above or v_tasks.recurs or v_tasks.closed then
        with recursive below as (
            select o.op, o.id, o.force, o.at, o.cancel, o.next_date, true as named
            from jsonb_to_recordset(v_ops) as o (
                op bigint, id uuid, force boolean, at timestamptz, cancel boolean, next_date date
            )
            join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is null
            where o.op between 0 and 499
            union all
            select b.op, t.id, b.force, b.at, b.cancel, null, false
            from below b
            join data.tasks t
                on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
            where b.op between 0 and 499
        ),
        -- The first operation that closes it is the one that does, and the first
        -- that does not may not be before.
        once as (
            select distinct on (b.id) b.id, b.op, b.named, b.at, b.cancel,
                   b.named or b.force as taken,
                   min(b.op) filter (where not (b.named or b.force)) over one as left_open,
                   case when t.rrule is not null
                        then data.derived_id(t.id, max(b.next_date) over one) end as next_id
            from below b
            join data.tasks t on t.user_id = p_user and t.id = b.id and t.completed_at is null
            where b.op between 0 and 499
            window one as (partition by b.id)
            order by b.id, not (b.named or b.force), b.op
        ),
        numbered as (
            select o.*, row_number() over (order by o.op, not o.named, o.id) as place
            from once o
        ),
        grouped as (
            select n.*, min(n.place) over (partition by n.op) as first from numbered n
        )
        select min(g.left_open) filter (where g.left_open < g.op or not g.taken),
               jsonb_agg(jsonb_build_object(
                   'id', g.id, 'first', g.first, 'at', g.at, 'cancel', g.cancel,
                   'next_id', g.next_id
               ) order by g.place)
        into v_op, v_rows
        from grouped g;
        if v_op is not null then
            perform data.refuse('open_subtasks', v_op, null);
        end if;
    end if;

    update data.tasks t
    set completed_at = coalesce(r.at, p_now),
        cancelled = r.cancel,
        completed_with = v_rev + coalesce(r.first, r.place),
        next_id = r.next_id,
        -- Its place now belongs to the next occurrence.
        position = case when r.next_id is not null
                        then 5000000000000000 - (v_rev + r.place) else t.position end,
        updated_at = p_now,
        rev = v_rev + r.place
    from rows from (
        jsonb_to_recordset(v_rows) as (
            id uuid, first bigint, at timestamptz, cancel boolean, next_id uuid
        )
    ) with ordinality as r (id, first, at, cancel, next_id, place)
    where t.user_id = p_user and t.id = r.id
      and r.place between 1 and jsonb_array_length(v_rows);
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
end
$$;
