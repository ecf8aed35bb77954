-- An account as operators see it; no row if there is none.
create or replace function data.account_of(p_user uuid)
returns table (
    user_id uuid, email text, email_verified boolean, display_name text,
    created_at timestamptz, updated_at timestamptz,
    suspended_at timestamptz, has_second_factor boolean, is_admin boolean
) language plpgsql set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    return query
        select u.user_id, u.email, u.email_verified, u.display_name, u.created_at, u.updated_at,
            u.suspended_at, data.has_factor(u.user_id), u.is_admin
        from data.users u where u.user_id = p_user;
end $$;
