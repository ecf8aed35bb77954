-- Removes every second factor of the account with this e-mail and ends its sessions,
-- for whoever may call this service's database: its owner is locked out, or a thief is
-- in. Outcomes:
--   dropped  there were some
--   none     there were none, and nothing happened
--   missing  there is no such account
create or replace function api.drop_factors_of(
    p_email_canonical text, p_client jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_user uuid := data.enter_by_email(p_email_canonical);
begin
    if v_user is null then
        return 'missing';
    end if;
    -- Whoever adds one at this moment has the row, or comes too late.
    perform from data.users u where u.user_id = v_user for update;
    if not data.has_factor(v_user) then
        return 'none';
    end if;
    perform data.audit(v_user, 'admin.factors.dropped', p_client, null, null, p_now);
    perform data.drop_factors(v_user, p_client, p_now);
    perform data.send_notice(v_user, p_client -> 'notice', p_now);
    perform data.end_sessions(v_user, null, null, p_now, 'session.revoked', p_client);
    return 'dropped';
end $$;
