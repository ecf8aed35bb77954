-- Removes a service account and everything that proves it. Its tokens are
-- refused from then on. False if there is none with this name.
create or replace function api.delete_service_account(p_name text, p_client jsonb, p_now timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_account uuid;
begin
    if jsonb_typeof(p_client -> 'operator') = 'object' then
        p_client := data.operating(p_client, p_now);
    end if;
    delete from data.service_accounts a where a.name = p_name returning a.account_id into v_account;
    if not found then
        return false;
    end if;
    delete from data.service_secrets s where s.account_id = v_account;
    delete from data.service_keys k where k.account_id = v_account;
    delete from data.used_assertions u where u.account_id = v_account;
    perform data.audit(
        '00000000-0000-0000-0000-000000000000', 'service_account.deleted', p_client, null,
        jsonb_build_object('service_account', p_name), p_now);
    -- The clock of the replica that gave out the last token may have been ahead.
    perform data.tell_verifiers(
        'service', array[v_account], array[null::uuid],
        p_now + interval '1 minute', p_now);
    return true;
end $$;
