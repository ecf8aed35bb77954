-- Deletes a task: its contents go at once, a tombstone with the revision stays.
-- Outcomes: ok, and those of begin_change.
create or replace function api.delete_task(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint,
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
    if outcome <> 'ok' then
        return;
    end if;

    update data.tasks t
    set title = '', notes = '', completed_at = null,
        due_date = null, due_minute = null, due_zone = null,
        updated_at = p_now,
        deleted_at = p_now,
        rev = data.next_rev(p_user)
    where t.user_id = p_user and t.id = p_id
    returning t.* into task;
end
$$;
