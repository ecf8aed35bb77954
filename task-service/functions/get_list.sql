-- Reads a list; a deleted one is not there.
create or replace function api.get_list(p_user uuid, p_id uuid, out list data.lists)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    select l.* into list
    from data.lists l
    where l.user_id = p_user and l.id = p_id and l.deleted_at is null;
end
$$;
