-- The same as data.acting_in, for what changes an account or how somebody signs in:
-- one such call of a user after the other, and none for a session that the one before
-- has ended, or for an account that it has deleted.
create or replace function data.acting_alone_in(p_user uuid, p_session uuid, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    perform from data.users u where u.user_id = p_user for update;
    perform data.acting_in(p_user, p_session, p_now);
end $$;
