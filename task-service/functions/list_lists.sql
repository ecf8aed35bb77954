-- A page of lists in their order, the inbox left out: those after the place
-- p_after, or the first.
create or replace function api.list_lists(p_user uuid, p_after text, p_limit bigint)
returns setof data.lists
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
rows 50
as $$
declare
    -- No place is below zero.
    v_after constant numeric := coalesce(p_after::numeric, -1);
begin
    perform set_config('app.user_id', p_user::text, true);
    return query
    select l.*
    from data.lists l
    where l.user_id = p_user and l.deleted_at is null and l.position > v_after
    order by l.position
    limit p_limit;
end
$$;
