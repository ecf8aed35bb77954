-- Has every device of the user of this statement be unknown again: passes that
-- were issued until now are good no more.
create or replace function data.forget_devices(p_user uuid, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update data.users set devices_since = p_now where user_id = p_user;
end $$;
