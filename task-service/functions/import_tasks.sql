-- Makes lists and tasks, all of them or none. Both come in the order that they
-- shall have, numbered from 1; they stand before those that are there already.
-- p_list is the list that tasks are put into which is not among the new ones,
-- null for none. p_dry tells what would become of it, and makes nothing.
-- Outcomes: ok, with the revision of the last change; replayed;
-- request_id_reused; list_not_found; task_quota; list_quota.
create or replace function api.import_tasks(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea, p_list uuid,
    p_lists jsonb, p_tasks jsonb, p_task_quota bigint, p_list_quota bigint, p_dry boolean,
    out outcome text, out head bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_lists constant bigint := jsonb_array_length(p_lists);
    v_tasks constant bigint := jsonb_array_length(p_tasks);
    v_inbox constant uuid := '00000000-0000-0000-0000-000000000000';
    v_state data.user_state;
    v_rev bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_request is not null and not p_dry then
        outcome := (data.claim_request(p_user, p_now, p_request, p_hash, v_inbox)).outcome;
        if outcome is not null then
            return;
        end if;
    end if;

    -- From here neither the list nor the counts change until this is committed.
    if not p_dry then
        perform data.take_turn(p_user);
    end if;
    select s.* into v_state from data.user_state s where s.user_id = p_user;

    if p_list <> v_inbox and not exists (
        select from data.lists l
        where l.user_id = p_user and l.id = p_list and l.deleted_at is null
    ) then
        outcome := 'list_not_found';
    elsif coalesce(v_state.task_count, 0) + v_tasks > p_task_quota then
        outcome := 'task_quota';
    elsif coalesce(v_state.list_count, 0) + v_lists > p_list_quota then
        outcome := 'list_quota';
    else
        outcome := 'ok';
    end if;
    if p_dry then
        return;
    end if;
    if outcome <> 'ok' then
        -- It was refused, so the same id may be tried again.
        delete from data.requests r where r.user_id = p_user and r.id = p_request;
        return;
    end if;

    update data.user_state s
    set head_rev = s.head_rev + v_lists + v_tasks,
        task_count = s.task_count + v_tasks,
        list_count = s.list_count + v_lists
    where s.user_id = p_user
    returning s.head_rev into head;

    -- The places that so many new ones would have if they were made one by one,
    -- the last of the file first; the revisions are in the order of the file.
    v_rev := v_state.head_rev;
    insert into data.lists (
        user_id, id, title, archived, position, created_at, updated_at, rev
    )
    select p_user, f.id, f.title, f.archived, 5000000000000000 - (v_rev + v_lists + 1 - f.n),
           p_now, p_now, v_rev + f.n
    from jsonb_to_recordset(p_lists) f (n bigint, id uuid, title text, archived boolean);

    v_rev := v_rev + v_lists;
    insert into data.tasks (
        user_id, id, title, notes, completed_at, cancelled, due_date, due_minute, due_zone,
        list_id, parent_id, priority, labels, position, rrule, rrule_after, rrule_start,
        rrule_number, series_id, completed_with, created_at, updated_at, rev
    )
    select p_user, f.id, f.title, f.notes, f.completed_at, f.cancelled,
           f.due_date, f.due_minute, f.due_zone, f.list_id, f.parent_id, f.priority, f.labels,
           5000000000000000 - (v_rev + v_tasks + 1 - f.n),
           f.rrule, f.rrule_after, f.rrule_start, f.rrule_number, f.series_id,
           case when f.completed_at is not null then v_rev + f.n end,
           f.created_at, p_now, v_rev + f.n
    from jsonb_to_recordset(p_tasks) f (
        n bigint, id uuid, title text, notes text, completed_at timestamptz, cancelled boolean,
        due_date date, due_minute bigint, due_zone text, list_id uuid, parent_id uuid,
        priority bigint, labels text[], rrule text, rrule_after boolean, rrule_start date,
        rrule_number bigint, series_id uuid, created_at timestamptz
    );
end
$$;
