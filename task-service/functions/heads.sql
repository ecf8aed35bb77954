-- The last revision of each of these users, as far as they have any. Counters
-- only: what changed is told to its user alone, by api.changes.
create or replace function api.heads(p_users uuid[])
returns table (user_id uuid, head_rev bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
rows 1000
as $$
begin
    perform set_config('app.heads', 'on', true);
    return query
    select s.user_id, s.head_rev
    from data.user_state s
    where s.user_id = any(p_users);
    perform set_config('app.heads', '', true);
end
$$;
