-- Goes on for a user whose password was found right, and stores the password's
-- new hash if there is one. No row if the password has changed since. Outcomes:
--   opened      p_session is written
--   challenged  a second factor is asked for, until p_challenge_until; the
--               challenge has the id of the session that was not opened
create or replace function api.open_session(
    p_user uuid, p_seen_hash text, p_new_hash text, p_new_pepper_id text,
    p_session uuid, p_user_agent text, p_client jsonb, p_now timestamptz,
    p_expires_at timestamptz, p_ends_at timestamptz, p_challenge_until timestamptz
) returns table (
    outcome text,
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz,
    is_admin boolean, factor_ids uuid[], factor_kinds text[], factor_secrets bytea[]
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_outcome text := 'opened';
    v_known record;
begin
    perform set_config('app.user_id', p_user::text, true);
    -- The lock makes a change of the password wait, or makes us see it.
    perform from data.users u
        where u.user_id = p_user and u.password_hash in (p_seen_hash, p_new_hash) for update;
    if not found then
        return;
    end if;
    perform data.not_suspended(p_user);
    perform data.settle_sign_in(p_client, p_now);
    if p_new_hash is not null then
        update data.users u set password_hash = p_new_hash, pepper_id = p_new_pepper_id
            where u.user_id = p_user;
    end if;
    select k.ids, k.kinds, k.secrets into v_known from data.known_factors(p_user) k;
    if not v_known.kinds <@ array['recovery_codes'] then
        v_outcome := 'challenged';
        perform data.challenge(p_user, p_session, p_client, p_now, p_challenge_until);
    else
        perform data.begin_session(
            p_user, p_session, p_user_agent, array['pwd'], p_client, p_now, p_expires_at, p_ends_at);
    end if;
    return query
        select v_outcome, u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin,
            v_known.ids, v_known.kinds, v_known.secrets
        from data.users u where u.user_id = p_user;
end $$;
