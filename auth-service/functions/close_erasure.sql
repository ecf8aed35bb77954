-- Has nobody wait any more for the service p_service to erase the user p_user, for
-- whoever may call this service's database. It may still confirm. False if it is
-- not waited for.
create or replace function api.close_erasure(
    p_user uuid, p_service text, p_client jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.erasures e set closed_at = p_now
        where e.user_id = p_user and e.service = p_service
            and e.erased_at is null and e.closed_at is null;
    if not found then
        return false;
    end if;
    -- As with the deletion itself, the log says not whose.
    perform data.audit(
        '00000000-0000-0000-0000-000000000000', 'erasure.closed', p_client, null,
        jsonb_build_object('service', p_service), p_now);
    return true;
end $$;
