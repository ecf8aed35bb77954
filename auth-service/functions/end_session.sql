-- Ends a session; nothing happens if it is over.
create or replace function api.end_session(p_user uuid, p_session uuid, p_now timestamptz)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.sessions set ended_at = p_now
        where user_id = p_user and id = p_session and ended_at is null;
end $$;
