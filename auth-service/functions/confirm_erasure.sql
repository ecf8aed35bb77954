-- Notes that the service account p_service has nothing of a user any more; the
-- first time counts. False if it was not asked to erase this user.
create or replace function api.confirm_erasure(p_user uuid, p_service uuid, p_now timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.erasures e set erased_at = coalesce(e.erased_at, p_now)
        where e.user_id = p_user and e.service = (
            select a.name from data.service_accounts a where a.account_id = p_service
        );
    return found;
end $$;
