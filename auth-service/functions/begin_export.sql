-- The caller's account, as it begins to be exported.
create or replace function api.begin_export(
    p_user uuid, p_session uuid, p_client jsonb, p_now timestamptz
) returns table (
    email text, email_verified boolean, display_name text, created_at timestamptz,
    updated_at timestamptz, is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    perform data.audit(p_user, 'user.exported', p_client, p_session, null, p_now);
    return query
        select u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin
        from data.users u where u.user_id = p_user;
end $$;
