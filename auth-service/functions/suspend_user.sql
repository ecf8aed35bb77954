-- Closes an account: nobody can sign in to it, its sessions are ended, and its
-- tokens are refused. Again, it changes nothing. No row if there is no account.
create or replace function api.suspend_user(
    p_user uuid, p_reason text, p_client jsonb, p_now timestamptz
) returns table (
    user_id uuid, email text, email_verified boolean, display_name text,
    created_at timestamptz, updated_at timestamptz,
    suspended_at timestamptz, has_second_factor boolean, is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_client jsonb := data.operating(p_client, p_now);
    v_closed boolean;
begin
    perform set_config('app.user_id', p_user::text, true);
    -- Whoever signs in at this moment has the row, or sees this.
    update data.users u set suspended_at = p_now
        where u.user_id = p_user and u.suspended_at is null;
    v_closed := found;
    return query
        select a.user_id, a.email, a.email_verified, a.display_name, a.created_at, a.updated_at,
            a.suspended_at, a.has_second_factor, a.is_admin
        from data.account_of(p_user) a;
    if v_closed then
        perform data.audit(
            p_user, 'admin.user.suspended', v_client, null,
            jsonb_build_object('reason', p_reason), p_now);
        perform data.void_mail_tokens(p_user, array['reset', 'change-old', 'change-new']);
        perform data.end_sessions(p_user, null, null, p_now);
        -- Tokens tell whole seconds; those of this one have sessions that ended.
        perform data.tell_verifiers(
            'user', array[p_user], array[null::uuid], date_trunc('second', p_now), p_now);
    end if;
end $$;
