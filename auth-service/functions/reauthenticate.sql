-- Notes that the caller proved again who they are, whose password was found to be
-- p_seen_hash. Without a p_method there is no code. Outcomes:
--   pwd, otp, pop, recovery  done, by the password and by that
--   missing                  there is a second factor, and no code of one
--   wrong, throttled         as for data.use_code
--   changed                  the password is another one by now
create or replace function api.reauthenticate(
    p_user uuid, p_session uuid, p_seen_hash text,
    p_method text, p_factors uuid[], p_steps bigint[], p_hash bytea,
    p_client jsonb, p_now timestamptz
) returns table (
    outcome text, retry_at timestamptz, email text, email_verified boolean, is_admin boolean,
    expires_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_outcome text := 'changed';
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    perform from data.users u where u.user_id = p_user and u.password_hash = p_seen_hash;
    if found then
        -- The password was right; wrong codes are counted by themselves.
        perform data.settle_sign_in(p_client, p_now);
        v_outcome := case
            when p_method is not null
                then data.use_code(p_user, p_method, p_factors, p_steps, p_hash, p_now)
            when data.has_factor(p_user) then 'missing'
            else 'pwd' end;
    end if;
    if v_outcome = 'wrong' then
        perform data.audit_refusal(p_user, 'reauthentication.refused', p_client, p_session,
            jsonb_build_object('step', p_method), (p_client #>> '{settles,audited}')::bigint, p_now);
    elsif v_outcome in ('pwd', 'otp', 'pop', 'recovery') then
        update data.sessions s
            set auth_time = p_now,
                amr = case v_outcome when 'pwd' then array['pwd'] else array['pwd', v_outcome] end
            where s.user_id = p_user and s.id = p_session;
        perform data.audit(p_user, 'reauthenticated', p_client, p_session, null, p_now);
    end if;
    return query
        select v_outcome, u.codes_from, u.email, u.email_verified, u.is_admin, s.expires_at
        from data.users u join data.sessions s on s.user_id = u.user_id and s.id = p_session
        where u.user_id = p_user;
end $$;
