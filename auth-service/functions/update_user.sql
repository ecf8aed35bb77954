-- Changes what is given of the caller's account; null leaves a field as it is.
create or replace function api.update_user(
    p_user uuid, p_session uuid, p_display_name text, p_now timestamptz
) returns table (
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz,
    is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    return query
        update data.users u
        set display_name = coalesce(p_display_name, u.display_name),
            updated_at = case when p_display_name is null then u.updated_at else p_now end
        where u.user_id = p_user
        returning u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin;
end $$;
