-- How many tasks and lists a user has, by the counters, and how many of the
-- tasks are open, by their index.
create or replace function api.get_usage(
    p_user uuid,
    out tasks bigint, out lists bigint, out open_tasks bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    select s.task_count, s.list_count,
           (select count(*) from data.tasks t
            where t.user_id = p_user and t.state = 0)
    into tasks, lists, open_tasks
    from data.user_state s
    where s.user_id = p_user;
    tasks := coalesce(tasks, 0);
    lists := coalesce(lists, 0);
    open_tasks := coalesce(open_tasks, 0);
end
$$;
