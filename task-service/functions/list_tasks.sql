-- A page of tasks, newest first: those older than p_before, all or only those
-- that are done or not. Each of the three statements has an index of its own.
create or replace function api.list_tasks(
    p_user uuid, p_done boolean, p_before uuid, p_limit bigint
)
returns table (
    id uuid, title text, notes text, completed_at timestamptz,
    due_date date, due_minute bigint, due_zone text,
    created_at timestamptz, updated_at timestamptz, rev bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
rows 50
as $$
declare
    v_before constant uuid := coalesce(p_before, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_done is null then
        return query
        select t.id, t.title::text, t.notes::text, t.completed_at, t.due_date, t.due_minute, t.due_zone,
               t.created_at, t.updated_at, t.rev
        from data.tasks t
        where t.user_id = p_user and t.id < v_before and t.deleted_at is null
        order by t.id desc
        limit p_limit;
    elsif p_done then
        return query
        select t.id, t.title::text, t.notes::text, t.completed_at, t.due_date, t.due_minute, t.due_zone,
               t.created_at, t.updated_at, t.rev
        from data.tasks t
        where t.user_id = p_user and t.id < v_before and t.deleted_at is null
          and t.completed_at is not null
        order by t.id desc
        limit p_limit;
    else
        return query
        select t.id, t.title::text, t.notes::text, t.completed_at, t.due_date, t.due_minute, t.due_zone,
               t.created_at, t.updated_at, t.rev
        from data.tasks t
        where t.user_id = p_user and t.id < v_before and t.deleted_at is null
          and t.completed_at is null
        order by t.id desc
        limit p_limit;
    end if;
end
$$;
