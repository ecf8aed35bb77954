-- Closes tasks, with their open subtasks where forced; a part of mutate_tasks.
-- What one operation closes has the revision of its task as completed_with.
-- Closing what is closed changes nothing.
--
-- A task that recurs is followed by its next occurrence. When that is, the
-- service works out: the operation says what it was worked out from, and if the
-- task is not like that the batch ends with the outcome recurs, and what the
-- tasks are like as the note.
create or replace function data.complete_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_unknown jsonb;
    v_rev bigint;
    v_count bigint;
begin
    perform data.check_targets(p_user, p_ops);

    select jsonb_agg(data.recurrence_of(t) || jsonb_build_object('op', o.op))
    into v_unknown
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, known jsonb)
    join data.tasks t on t.user_id = p_user and t.id = o.id
    where t.completed_at is null and t.rrule is not null
      and o.known is distinct from data.recurrence_of(t);
    if v_unknown is not null then
        perform data.refuse('recurs', null, v_unknown::text);
    end if;

    with recursive below as (
        select o.op, o.id, o.force, true as named
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, force boolean)
        join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is null
        union all
        select b.op, t.id, b.force, false
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
    )
    select b.op into v_op
    from below b
    join data.tasks t on t.user_id = p_user and t.id = b.id and t.completed_at is null
    where not b.named and not b.force and not exists (
        select from below e where e.id = b.id and e.op < b.op and (e.named or e.force)
    )
    order by b.op
    limit 1;
    if found then
        perform data.refuse('open_subtasks', v_op, null);
    end if;

    select c.rev, c.more into v_rev, more from data.repeat_tasks(p_user, p_now, p_rev, p_ops) c;

    with recursive below as (
        select o.op, o.id, o.force, true as named
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, force boolean)
        join data.tasks t on t.user_id = p_user and t.id = o.id and t.completed_at is null
        union all
        select b.op, t.id, b.force, false
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
    ),
    taken as (
        select distinct on (b.id) b.id, b.op, b.named
        from below b
        join data.tasks t on t.user_id = p_user and t.id = b.id and t.completed_at is null
        where b.named or b.force
        order by b.id, b.op, b.named desc
    ),
    numbered as (
        select d.id, d.op, v_rev + row_number() over (order by d.op, not d.named, d.id) as new_rev
        from taken d
    ),
    grouped as (
        select n.*, min(n.new_rev) over (partition by n.op) as first_rev
        from numbered n
    )
    update data.tasks t
    set completed_at = coalesce(o.at, p_now),
        cancelled = o.cancel,
        completed_with = g.first_rev,
        next_id = case when t.rrule is not null then data.derived_id(t.id, own.next_date) end,
        -- Its place now belongs to the next occurrence.
        position = case when t.rrule is not null and own.next_date is not null
                        then 5000000000000000 - g.new_rev else t.position end,
        updated_at = p_now,
        rev = g.new_rev
    from grouped g
    join jsonb_to_recordset(p_ops) as o (op bigint, at timestamptz, cancel boolean)
        on o.op = g.op
    left join jsonb_to_recordset(p_ops) as own (id uuid, next_date date) on own.id = g.id
    where t.user_id = p_user and t.id = g.id;
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
end
$$;
