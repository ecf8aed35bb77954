-- Notes in the audit log that somebody was refused who said to be this service
-- account, at most once a minute. True if it was noted.
create or replace function data.refuse_service(p_account uuid, p_client jsonb, p_now timestamptz)
returns boolean language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_name text;
begin
    update data.service_accounts set refusal_noted_at = p_now
        where account_id = p_account
            and (refusal_noted_at is null or refusal_noted_at <= p_now - interval '1 minute')
        returning name into v_name;
    if not found then
        return false;
    end if;
    perform data.audit(
        '00000000-0000-0000-0000-000000000000', 'service_token.refused', p_client, null,
        jsonb_build_object('service_account', v_name), p_now);
    return true;
end $$;
