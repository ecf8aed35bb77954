-- Reads a task, one in the bin too.
-- Outcomes: ok, not_found.
create or replace function api.get_task(
    p_user uuid, p_id uuid,
    out outcome text, out task data.tasks
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    select t.* into task
    from data.tasks t
    where t.user_id = p_user and t.id = p_id;
    outcome := case when found then 'ok' else 'not_found' end;
end
$$;
