-- Whether the user was erased.
create or replace function api.is_erased(p_user uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    return exists (
        select from data.user_state s where s.user_id = p_user and s.erased_at is not null
    );
end
$$;
