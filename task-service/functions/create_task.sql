-- Makes a task in the inbox, first in its order; with a list, a parent, a
-- recurrence or an id of the client's see create_tasks.
-- Outcomes: ok; replayed, with the task as it is now, if it still is;
-- request_id_reused; task_quota.
-- What claim_request does stands here once more: as a call it took a tenth of
-- the work of the most frequent write. Change them together.
create or replace function api.create_task(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_title text, p_notes text,
    p_due_date date, p_due_minute bigint, p_due_zone text,
    p_priority bigint, p_labels text[], p_quota bigint,
    out outcome text, out task data.tasks
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task uuid;
    v_rev bigint;
begin
    perform set_config('app.user_id', p_user::text, true);

    -- As in claim_request.
    if p_request is not null then
        insert into data.requests as r (user_id, id, payload_hash, task_id, created_at)
        values (p_user, p_request, p_hash, p_id, p_now)
        on conflict on constraint requests_pkey do update
            set payload_hash = excluded.payload_hash,
                task_id = excluded.task_id,
                task_ids = null,
                created_at = excluded.created_at
            where r.created_at <= excluded.created_at - interval '24 hours';
        if not found then
            select case when r.payload_hash = p_hash then 'replayed' else 'request_id_reused' end,
                   r.task_id
            into outcome, v_task
            from data.requests r
            where r.user_id = p_user and r.id = p_request;
            if outcome = 'replayed' then
                select t.* into task
                from data.tasks t
                where t.user_id = p_user and t.id = v_task;
            end if;
            return;
        end if;
    end if;

    insert into data.user_state as s (user_id, head_rev, task_count)
    values (p_user, 1, 1)
    on conflict (user_id) do update
        set head_rev = s.head_rev + 1, task_count = s.task_count + 1
        where s.task_count < p_quota and s.erased_at is null
    returning s.head_rev into v_rev;
    if v_rev is null then
        -- Says so if it is because the user was erased.
        perform data.take_turn(p_user);
        outcome := 'task_quota';
        -- It was refused, so the same id may be tried again.
        delete from data.requests r where r.user_id = p_user and r.id = p_request;
        return;
    end if;

    insert into data.tasks (
        user_id, id, title, notes, due_date, due_minute, due_zone,
        priority, labels, position, created_at, updated_at, rev
    )
    values (
        p_user, p_id, p_title, p_notes, p_due_date, p_due_minute, p_due_zone,
        p_priority, p_labels, 5000000000000000 - v_rev, p_now, p_now, v_rev
    )
    returning * into task;
    outcome := 'ok';
end
$$;
