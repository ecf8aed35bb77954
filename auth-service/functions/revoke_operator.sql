-- Has the account with this e-mail be no operator's any more, for whoever may call
-- this service's database, and ends its sessions: tokens say who is one. Outcomes:
--   revoked  it was one
--   none     it was none
--   missing  there is no such account
create or replace function api.revoke_operator(
    p_email_canonical text, p_client jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_user uuid := data.enter_by_email(p_email_canonical);
begin
    if v_user is null then
        return 'missing';
    end if;
    update data.users u set is_admin = false where u.user_id = v_user and u.is_admin;
    if not found then
        return 'none';
    end if;
    perform data.audit(v_user, 'admin.user.revoked_operator', p_client, null, null, p_now);
    perform data.end_sessions(v_user, null, null, p_now);
    return 'revoked';
end $$;
