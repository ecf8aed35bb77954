-- Looks at the tasks that a step is about; a part of the functions that make
-- steps. Refuses operations on tasks that are not there, or not as their etag
-- says. Tells what the tasks are like, so that a step leaves out what none of
-- them needs: whether one has subtasks, in the bin or not; whether one recurs or
-- has a next occurrence; whether one is open, and whether one is closed.
create or replace function data.targets(
    p_user uuid, p_ops jsonb,
    out above boolean, out recurs boolean, out open boolean, out closed boolean
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
begin
    select min(o.op) filter (where t.id is null or t.deleted_at is not null or t.rev <> o.etag),
           bool_or(c.there),
           bool_or(t.rrule is not null or t.next_id is not null),
           bool_or(t.completed_at is null),
           bool_or(t.completed_at is not null)
    into v_op, above, recurs, open, closed
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, etag bigint)
    left join data.tasks t on t.user_id = p_user and t.id = o.id
    left join lateral (
        select true as there from data.tasks c
        where c.user_id = p_user and c.parent_id = o.id
        limit 1
    ) c on true
    where o.op between 0 and 499;
    if v_op is not null then
        perform data.refuse(
            case when t.deleted_at is null and t.id is not null
                 then 'etag_mismatch' else 'task_not_found' end,
            v_op, t.rev::text
        )
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        left join data.tasks t on t.user_id = p_user and t.id = o.id
        where o.op = v_op;
    end if;
end
$$;
