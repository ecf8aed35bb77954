-- The caller's account.
create or replace function api.get_user(p_user uuid, p_session uuid, p_now timestamptz)
returns table (
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz,
    is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin
        from data.users u where u.user_id = p_user;
end $$;
