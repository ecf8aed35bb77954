-- Changes what is given of the caller's account; null leaves a field as it is.
create or replace function api.update_user(
    p_user uuid, p_session uuid, p_display_name text, p_client jsonb, p_now timestamptz
) returns table (
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz,
    is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    if p_display_name is not null then
        update data.users u set display_name = p_display_name, updated_at = p_now
            where u.user_id = p_user;
        perform data.audit(p_user, 'user.updated', p_client, p_session, null, p_now);
    end if;
    return query
        select u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin
        from data.users u where u.user_id = p_user;
end $$;
