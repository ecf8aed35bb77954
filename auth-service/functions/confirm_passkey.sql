-- Adds a passkey whose enrolment was found to be this session's, and to have been
-- asked for at p_asked. With the first factor come the recovery codes, and every other
-- session ends: nobody showed a factor there. Outcomes: first, further, full, used (the
-- enrolment was ended before: its factor is there, or one was removed since).
create or replace function api.confirm_passkey(
    p_user uuid, p_session uuid, p_factor uuid, p_display_name text, p_sealed bytea, p_most bigint,
    p_asked timestamptz, p_set uuid, p_set_sealed bytea, p_hashes bytea[],
    p_client jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_is_first boolean;
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    v_is_first := not data.has_factor(p_user);
    if exists (select from data.factors f where f.user_id = p_user and f.id = p_factor)
        or exists (select from data.users u where u.user_id = p_user and u.passkeys_from > p_asked)
    then
        return 'used';
    elsif data.count_factors(p_user, 'passkey') >= p_most then
        return 'full';
    end if;
    -- It answers nothing that was asked before it was there.
    insert into data.factors (
        user_id, id, kind, display_name, sealed_secret, last_step, created_at, confirmed_at
    ) values (
        p_user, p_factor, 'passkey', p_display_name, p_sealed,
        (extract(epoch from p_asked) * 1000000)::bigint, p_now, p_now
    );
    perform data.audit(p_user, 'factor.added', p_client, p_session,
        jsonb_build_object('kind', 'passkey'), p_now);
    perform data.send_notice(p_user, p_client -> 'notice', p_now);
    if not v_is_first then
        return 'further';
    end if;
    perform data.put_recovery_codes(p_user, p_set, p_set_sealed, p_hashes, p_client, p_session, p_now);
    perform data.end_sessions(p_user, null, p_session, p_now, 'session.revoked', p_client);
    return 'first';
end $$;
