-- Notes that the service account p_service has nothing of a user any more; the
-- first time counts. False if it was not asked to erase this user.
create or replace function api.confirm_erasure(p_user uuid, p_service uuid, p_now timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_service text;
    v_erased_at timestamptz;
begin
    perform set_config('app.user_id', p_user::text, true);
    select e.service, e.erased_at into v_service, v_erased_at
        from data.erasures e join data.service_accounts a on a.name = e.service
        where e.user_id = p_user and a.account_id = p_service
        for update of e;
    if not found then
        return false;
    end if;
    if v_erased_at is null then
        update data.erasures e set erased_at = p_now
            where e.user_id = p_user and e.service = v_service;
        -- As with the deletion itself, the log says not whose.
        perform data.audit(
            '00000000-0000-0000-0000-000000000000', 'erasure.confirmed',
            jsonb_build_object('actor', 'serviceAccounts/' || v_service), null,
            jsonb_build_object('service', v_service), p_now);
    end if;
    return true;
end $$;
