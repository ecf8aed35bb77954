-- All that a user has, as of one moment, in three parts: the lists in their
-- order; the ids of the tasks, list by list, the inbox first, each in its place;
-- the tasks in the same order. A step may stand before its parent, so the ids
-- come first. No part is joined with another: a plan made for a user with few
-- tasks would take a minute for one with many. Nor is a table read as a whole,
-- however much of it is this user's: it grows with the others.
create or replace function api.export_tasks(p_user uuid)
returns table (
    list_id uuid, list_title text, list_archived boolean, task_id uuid, task data.tasks
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
rows 1000
as $$
begin
    perform set_config('app.user_id', p_user::text, true);

    return query
    select l.id, l.title::text, l.archived, null::uuid, null::data.tasks
    from data.lists l
    where l.user_id = p_user and l.deleted_at is null
    order by l.position, l.id;

    return query
    select null::uuid, null::text, null::boolean, t.id, null::data.tasks
    from data.tasks t
    left join data.lists l on l.user_id = p_user and l.id = t.list_id and l.deleted_at is null
    where t.user_id = p_user and t.deleted_at is null
    order by l.position nulls first, t.position, t.id;

    return query
    select null::uuid, null::text, null::boolean, null::uuid, t
    from data.tasks t
    left join data.lists l on l.user_id = p_user and l.id = t.list_id and l.deleted_at is null
    where t.user_id = p_user and t.deleted_at is null
    order by l.position nulls first, t.position, t.id;
end
$$;
