-- Writes the session of a user who has shown everything that is asked for.
create or replace function data.begin_session(
    p_user uuid, p_session uuid, p_user_agent text, p_amr text[],
    p_client jsonb, p_now timestamptz, p_expires_at timestamptz, p_ends_at timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into data.sessions (user_id, id, rotated_at, user_agent, amr, auth_time, created_at, expires_at, ends_at)
    values (p_user, p_session, p_now, p_user_agent, p_amr, p_now, p_now, p_expires_at, p_ends_at)
    on conflict do nothing;
    if found then
        perform data.audit(p_user, 'sign_in', p_client, p_session, null, p_now);
        perform data.cap_sessions(p_user, p_session, p_client, p_now);
    end if;
end $$;
