-- What decides when the next occurrence of a task is; null if it has none.
create or replace function data.recurrence_of(p_task data.tasks)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when p_task.rrule is not null then jsonb_build_object(
        'rule', p_task.rrule,
        'after_completion', p_task.rrule_after,
        'start', p_task.rrule_start,
        'number', p_task.rrule_number,
        'series', p_task.series_id,
        'due', p_task.due_date,
        'zone', p_task.due_zone
    ) end
$$;
