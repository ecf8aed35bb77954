-- Exchanges the refresh token of p_generation for its successor. Outcomes:
--   rotated   the token was the current one
--   repeated  it was the one just before, moments ago: the same successor again
--   reused    it was older: the session is ended
--   over      the session has ended or expired, or there is none
create or replace function api.refresh_session(
    p_user uuid, p_session uuid, p_generation bigint,
    p_now timestamptz, p_expires_at timestamptz, p_grace interval,
    p_client jsonb
) returns table (
    outcome text, generation bigint, expires_at timestamptz,
    email text, email_verified boolean, is_admin boolean, amr text[], auth_time timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_outcome text := 'rotated';
    v_session data.sessions;
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.sessions s
        set generation = s.generation + 1, rotated_at = p_now,
            expires_at = least(p_expires_at, s.ends_at)
        where s.user_id = p_user and s.id = p_session and s.generation = p_generation
            and s.ended_at is null and s.expires_at > p_now
        returning s.* into v_session;
    if not found then
        select s.* into v_session from data.sessions s
            where s.user_id = p_user and s.id = p_session and s.generation > p_generation
                and s.ended_at is null and s.expires_at > p_now;
        if not found then
            v_outcome := 'over';
        elsif v_session.generation = p_generation + 1
            and p_grace > interval '0' and v_session.rotated_at + p_grace >= p_now then
            v_outcome := 'repeated';
        else
            v_outcome := 'reused';
            perform from data.users u where u.user_id = p_user for update;
            perform data.end_sessions(
                p_user, array[p_session], null, p_now, 'session.reused', p_client);
        end if;
    end if;
    return query
        select v_outcome, v_session.generation, v_session.expires_at,
            u.email, u.email_verified, u.is_admin, v_session.amr, v_session.auth_time
        from (select) as always left join data.users u on u.user_id = p_user;
end $$;
