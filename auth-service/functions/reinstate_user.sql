-- Opens an account again that was closed; if it is open, nothing changes. No row
-- if there is no account.
create or replace function api.reinstate_user(p_user uuid, p_client jsonb, p_now timestamptz)
returns table (
    user_id uuid, email text, email_verified boolean, display_name text,
    created_at timestamptz, updated_at timestamptz,
    suspended_at timestamptz, has_second_factor boolean, is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_client jsonb := data.operating(p_client, p_now);
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.users u set suspended_at = null
        where u.user_id = p_user and u.suspended_at is not null;
    if found then
        perform data.audit(p_user, 'admin.user.reinstated', v_client, null, null, p_now);
    end if;
    return query
        select a.user_id, a.email, a.email_verified, a.display_name, a.created_at, a.updated_at,
            a.suspended_at, a.has_second_factor, a.is_admin
        from data.account_of(p_user) a;
end $$;
