-- Ends the enrolment of an authenticator, of which a code of the time step p_step
-- was shown; null if the code was wrong. With the first factor come the recovery
-- codes, and every other session ends: it was opened by less than what is asked for
-- from now on. Outcomes: first, further, wrong, full, missing.
create or replace function api.confirm_totp(
    p_user uuid, p_session uuid, p_factor uuid, p_step bigint, p_sealed bytea, p_most bigint,
    p_set uuid, p_set_sealed bytea, p_hashes bytea[], p_client jsonb, p_now timestamptz
) returns table (outcome text, display_name text)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_outcome text := 'further';
    v_is_first boolean;
    v_name text;
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    v_is_first := not data.has_factor(p_user);
    select f.display_name into v_name from data.factors f
        where f.user_id = p_user and f.id = p_factor and f.pending_until > p_now;
    if not found then
        v_outcome := 'missing';
    elsif p_step is null then
        v_outcome := 'wrong';
    elsif data.count_factors(p_user, 'totp') >= p_most then
        v_outcome := 'full';
    else
        update data.factors f
            set sealed_secret = p_sealed, last_step = p_step, confirmed_at = p_now, pending_until = null
            where f.user_id = p_user and f.id = p_factor;
        perform data.audit(p_user, 'factor.added', p_client, p_session,
            jsonb_build_object('kind', 'totp'), p_now);
        if v_is_first then
            v_outcome := 'first';
            perform data.put_recovery_codes(p_user, p_set, p_set_sealed, p_hashes, p_client, p_session, p_now);
        end if;
        perform data.send_notice(p_user, p_client -> 'notice', p_now);
        if v_is_first then
            perform data.end_sessions(p_user, null, p_session, p_now, 'session.revoked', p_client);
        end if;
    end if;
    return query select v_outcome, v_name;
end $$;
