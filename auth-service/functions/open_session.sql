-- Opens a session for a user whose password was found right, and stores the
-- password's new hash if there is one. No row if the password has changed since.
create or replace function api.open_session(
    p_user uuid, p_seen_hash text, p_new_hash text, p_new_pepper_id text,
    p_session uuid, p_user_agent text,
    p_client jsonb, p_now timestamptz, p_expires_at timestamptz, p_ends_at timestamptz
) returns table (
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    -- The lock makes a change of the password wait, or makes us see it.
    perform from data.users u
        where u.user_id = p_user and u.password_hash in (p_seen_hash, p_new_hash) for update;
    if not found then
        return;
    end if;
    perform data.settle_sign_in(p_client, p_now);
    if p_new_hash is not null then
        update data.users u set password_hash = p_new_hash, pepper_id = p_new_pepper_id
            where u.user_id = p_user;
    end if;
    insert into data.sessions (user_id, id, rotated_at, user_agent, amr, auth_time, created_at, expires_at, ends_at)
    values (p_user, p_session, p_now, p_user_agent, array['pwd'], p_now, p_now, p_expires_at, p_ends_at)
    on conflict do nothing;
    if found then
        perform data.audit(p_user, 'sign_in', p_client, p_session, null, p_now);
        perform data.cap_sessions(p_user, p_session, p_client, p_now);
    end if;
    return query
        select u.email, u.email_verified, u.display_name, u.created_at, u.updated_at
        from data.users u where u.user_id = p_user;
end $$;
