-- Makes tasks, first in their lists; a part of mutate_tasks. No task has its
-- parent among them. Tells the last revision and how many there are more.
create or replace function data.create_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_outcome text;
begin
    select o.op,
           case
               when taken.id is not null then 'task_id_taken'
               when o.parent is not null and parent.id is null then 'parent_not_found'
               when o.list is not null and parent.list_id <> o.list then 'list_mismatch'
               when data.ancestors(p_user, o.parent) >= 5 then 'too_deep'
               else 'list_not_found'
           end
    into v_op, v_outcome
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, list uuid, parent uuid)
    left join data.tasks taken on taken.user_id = p_user and taken.id = o.id
    left join data.tasks parent
        on parent.user_id = p_user and parent.id = o.parent and parent.deleted_at is null
    left join data.lists list
        on list.user_id = p_user and list.id = o.list and list.deleted_at is null
    where o.op between 0 and 499 and (taken.id is not null
       or (o.parent is not null and (
               parent.id is null
               or parent.list_id <> o.list
               or data.ancestors(p_user, o.parent) >= 5
           ))
       or (o.list <> '00000000-0000-0000-0000-000000000000' and list.id is null))
    order by o.op
    limit 1;
    if found then
        perform data.refuse(v_outcome, v_op, null);
    end if;

    insert into data.tasks (
        user_id, id, title, notes, due_date, due_minute, due_zone,
        list_id, parent_id, priority, labels, position,
        rrule, rrule_after, rrule_start, rrule_number, series_id,
        created_at, updated_at, rev
    )
    select p_user, o.id, o.title, o.notes, o.due_date, o.due_minute, o.due_zone,
           coalesce(parent.list_id, o.list, '00000000-0000-0000-0000-000000000000'),
           o.parent, o.priority, o.labels,
           5000000000000000 - (p_rev + row_number() over (order by o.op)),
           o.rrule,
           case when o.rrule is not null then o.rrule_after end,
           case when o.rrule is not null then o.due_date end,
           case when o.rrule is not null then 1 end,
           case when o.rrule is not null then o.id end,
           -- Those of one batch are listed as they were made.
           p_now + o.op * interval '1 microsecond',
           p_now + o.op * interval '1 microsecond',
           p_rev + row_number() over (order by o.op)
    from jsonb_to_recordset(p_ops) as o (
        op bigint, id uuid, title text, notes text,
        due_date date, due_minute bigint, due_zone text,
        list uuid, parent uuid, priority bigint, labels text[],
        rrule text, rrule_after boolean
    )
    left join data.tasks parent on parent.user_id = p_user and parent.id = o.parent
    where o.op between 0 and 499;
    get diagnostics more = row_count;
    rev := p_rev + more;
end
$$;
