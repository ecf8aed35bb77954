-- Makes the next occurrences of tasks that are about to be closed, each in the
-- place of its task and with copies of its subtasks, open; a part of
-- complete_tasks. An occurrence that is there is left as it is; one in the bin
-- is made anew.
create or replace function data.repeat_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    with recursive source as (
        select o.op, t.id, data.derived_id(t.id, o.next_date) as next_id,
               t.parent_id as next_parent, o.next_date, o.next_start, o.next_number, true as named
        from jsonb_to_recordset(p_ops) as o (
            op bigint, id uuid, next_date date, next_start date, next_number bigint
        )
        join data.tasks t on t.user_id = p_user and t.id = o.id
        where o.op between 0 and 499
          and t.completed_at is null and t.rrule is not null and o.next_date is not null
        union all
        select s.op, t.id, data.derived_id(t.id, s.next_date), s.next_id,
               s.next_date, null, null, false
        from source s
        join data.tasks t on t.user_id = p_user and t.parent_id = s.id
        -- Occurrences of its own have subtasks that recur themselves.
        where s.op between 0 and 499 and t.deleted_at is null and t.series_id is null
    ),
    missing as (
        select s.*, p_rev + row_number() over (order by s.op, s.named desc, t.position desc) as new_rev
        from source s
        join data.tasks t on t.user_id = p_user and t.id = s.id
        where s.op between 0 and 499 and not exists (
            select from data.tasks n
            where n.user_id = p_user and n.id = s.next_id and n.deleted_at is null
        )
    )
    insert into data.tasks as n (
        user_id, id, title, notes, due_date, due_minute, due_zone,
        list_id, parent_id, priority, labels, position,
        rrule, rrule_after, rrule_start, rrule_number, series_id,
        created_at, updated_at, rev
    )
    select p_user, m.next_id, t.title, t.notes,
           case when m.named then m.next_date else t.due_date end, t.due_minute, t.due_zone,
           t.list_id, m.next_parent, t.priority, t.labels,
           case when m.named then t.position else 5000000000000000 - m.new_rev end,
           t.rrule, t.rrule_after, m.next_start, m.next_number, t.series_id,
           p_now, p_now, m.new_rev
    from missing m
    join data.tasks t on t.user_id = p_user and t.id = m.id
    where m.op between 0 and 499
    on conflict (user_id, id) do update
        set title = excluded.title, notes = excluded.notes,
            due_date = excluded.due_date, due_minute = excluded.due_minute,
            due_zone = excluded.due_zone, list_id = excluded.list_id,
            parent_id = excluded.parent_id, priority = excluded.priority,
            labels = excluded.labels, position = excluded.position,
            rrule = excluded.rrule, rrule_after = excluded.rrule_after,
            rrule_start = excluded.rrule_start, rrule_number = excluded.rrule_number,
            series_id = excluded.series_id,
            completed_at = null, cancelled = false, completed_with = null, next_id = null,
            deleted_at = null, deleted_with = null,
            created_at = excluded.created_at, updated_at = excluded.updated_at,
            rev = excluded.rev;
    get diagnostics more = row_count;
    rev := p_rev + more;
end
$$;
