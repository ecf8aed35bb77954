-- Writes fields of a task: title and notes where they are given, due where
-- p_set_due says so. If there is nothing to write, nothing changes.
-- Outcomes: ok, and those of begin_change.
create or replace function api.update_task(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint, p_title text, p_notes text,
    p_set_due boolean, p_due_date date, p_due_minute bigint, p_due_zone text,
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
    if outcome <> 'ok' or (p_title is null and p_notes is null and not p_set_due) then
        return;
    end if;

    update data.tasks t
    set title = coalesce(p_title, t.title),
        notes = coalesce(p_notes, t.notes),
        due_date = case when p_set_due then p_due_date else t.due_date end,
        due_minute = case when p_set_due then p_due_minute else t.due_minute end,
        due_zone = case when p_set_due then p_due_zone else t.due_zone end,
        updated_at = p_now,
        rev = data.next_rev(p_user)
    where t.user_id = p_user and t.id = p_id
    returning t.* into task;
end
$$;
