-- Makes a task.
-- Outcomes: ok; replayed, with the task as it is now, if it still is;
-- request_id_reused.
create or replace function api.create_task(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_title text, p_notes text,
    p_due_date date, p_due_minute bigint, p_due_zone text,
    out outcome text, out task data.tasks
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_claim record;
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_request is not null then
        v_claim := data.claim_request(p_user, p_now, p_request, p_hash, p_id);
        outcome := v_claim.outcome;
        if outcome = 'replayed' then
            select t.* into task
            from data.tasks t
            where t.user_id = p_user and t.id = v_claim.task_id and t.deleted_at is null;
        end if;
        if outcome is not null then
            return;
        end if;
    end if;

    insert into data.tasks (
        user_id, id, title, notes, due_date, due_minute, due_zone,
        created_at, updated_at, rev
    )
    values (
        p_user, p_id, p_title, p_notes, p_due_date, p_due_minute, p_due_zone,
        p_now, p_now, data.next_rev(p_user)
    )
    returning * into task;
    outcome := 'ok';
end
$$;
