-- Marks a task as done, or as open again. If it is already, nothing changes.
-- Outcomes: ok, and those of begin_change.
create or replace function api.set_task_done(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint, p_done boolean,
    out outcome text, out task data.tasks
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_begun record;
begin
    perform set_config('app.user_id', p_user::text, true);
    v_begun := data.begin_change(p_user, p_now, p_request, p_hash, p_id, p_etag);
    outcome := coalesce(v_begun.outcome, 'ok');
    task := v_begun.task;
    if outcome <> 'ok' or (task.completed_at is not null) = p_done then
        return;
    end if;

    update data.tasks t
    set completed_at = case when p_done then p_now end,
        updated_at = p_now,
        rev = data.next_rev(p_user)
    where t.user_id = p_user and t.id = p_id
    returning t.* into task;
end
$$;
