-- Ends a session; nothing happens if it is over.
create or replace function api.end_session(p_user uuid, p_session uuid, p_client jsonb, p_now timestamptz)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    perform from data.users u where u.user_id = p_user for update;
    perform data.end_sessions(p_user, array[p_session], null, p_now, 'sign_out', p_client);
end $$;
