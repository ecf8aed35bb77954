-- Writes fields of tasks; a part of mutate_tasks. Fields that are absent stay
-- as they are, a due date and a recurrence as `set_due` and `set_rrule` say. A
-- task without anything to write does not change. Another rule begins a count
-- of its own, at the day the task is due.
create or replace function data.update_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ops jsonb := p_ops;
    v_op bigint;
    v_count bigint;
begin
    if (data.targets(p_user, p_ops)).recurs or p_ops @? '$[*] ? (@.set_rrule == true)' then
        select min(o.op) filter (
                   where case when o.set_rrule then o.rrule else t.rrule end is not null
                     and case when o.set_due then o.due_date else t.due_date end is null
               ),
               -- The same rule again is no new rule.
               jsonb_agg(e.op || jsonb_build_object(
                   'ruled', o.set_rrule
                   and (o.rrule, o.rrule_after) is distinct from (t.rrule, t.rrule_after)
               ))
        into v_op, v_ops
        from jsonb_array_elements(p_ops) with ordinality as e (op, place)
        cross join lateral jsonb_to_record(e.op) as o (
            op bigint, id uuid, set_due boolean, due_date date,
            set_rrule boolean, rrule text, rrule_after boolean
        )
        join data.tasks t on t.user_id = p_user and t.id = o.id
        where e.place between 1 and jsonb_array_length(p_ops);
        if v_op is not null then
            perform data.refuse('due_missing', v_op, null);
        end if;
    end if;

    update data.tasks t
    set title = coalesce(w.title, t.title),
        notes = coalesce(w.notes, t.notes),
        due_date = case when w.set_due then w.due_date else t.due_date end,
        due_minute = case when w.set_due then w.due_minute else t.due_minute end,
        due_zone = case when w.set_due then w.due_zone else t.due_zone end,
        priority = coalesce(w.priority, t.priority),
        labels = coalesce(w.labels, t.labels),
        rrule = case when w.ruled then w.rrule else t.rrule end,
        rrule_after = case when w.ruled then w.rrule_after else t.rrule_after end,
        rrule_start = case
            when w.ruled is not true then t.rrule_start
            when w.rrule is null then null
            when w.set_due then w.due_date
            else t.due_date
        end,
        rrule_number = case
            when w.ruled is not true then t.rrule_number
            when w.rrule is not null then 1
        end,
        series_id = case
            when w.ruled and w.rrule is not null then coalesce(t.series_id, t.id)
            else t.series_id
        end,
        updated_at = p_now,
        rev = p_rev + w.place
    from (
        select o.*, row_number() over (order by o.op) as place
        from jsonb_to_recordset(v_ops) as o (
            op bigint, id uuid, title text, notes text,
            set_due boolean, due_date date, due_minute bigint, due_zone text,
            priority bigint, labels text[],
            set_rrule boolean, ruled boolean, rrule text, rrule_after boolean
        )
        where o.op between 0 and 499
          and (o.title is not null or o.notes is not null or o.set_due
               or o.priority is not null or o.labels is not null or o.set_rrule)
    ) w
    where t.user_id = p_user and t.id = w.id;
    get diagnostics v_count = row_count;
    rev := p_rev + v_count;
    more := 0;
end
$$;
