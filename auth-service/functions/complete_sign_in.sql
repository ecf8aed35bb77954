-- Ends a sign-in that asked for a second factor. Outcomes:
--   otp, pop, recovery  the code was right, and p_session is written
--   wrong               it was not; after five of them the challenge is over
--   throttled           it was not looked at, until retry_at
--   over                the challenge is used up, too old, or its password was changed
create or replace function api.complete_sign_in(
    p_user uuid, p_challenge uuid,
    p_method text, p_factors uuid[], p_steps bigint[], p_hash bytea,
    p_session uuid, p_user_agent text,
    p_client jsonb, p_now timestamptz, p_expires_at timestamptz, p_ends_at timestamptz
) returns table (
    outcome text, retry_at timestamptz,
    email text, email_verified boolean, display_name text, created_at timestamptz, updated_at timestamptz,
    is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_outcome text := 'over';
begin
    perform set_config('app.user_id', p_user::text, true);
    -- One code of a user after the other, and none beside a change of the password.
    perform from data.users u where u.user_id = p_user for update;
    if exists (
        select from data.challenges c
        where c.user_id = p_user and c.id = p_challenge and c.expires_at > p_now for update
    ) then
        v_outcome := data.use_code(p_user, p_method, p_factors, p_steps, p_hash, p_now);
    end if;
    if v_outcome = 'wrong' then
        update data.challenges c set wrong_codes = c.wrong_codes + 1
            where c.user_id = p_user and c.id = p_challenge;
        delete from data.challenges c
            where c.user_id = p_user and c.id = p_challenge and c.wrong_codes >= 5;
        perform data.audit_refusal(p_user, 'sign_in.refused', p_client - 'actor', null,
            jsonb_build_object('step', p_method), (p_client #>> '{settles,audited}')::bigint, p_now);
    elsif v_outcome in ('otp', 'pop', 'recovery') then
        delete from data.challenges c where c.user_id = p_user and c.id = p_challenge;
        perform data.begin_session(
            p_user, p_session, p_user_agent, array['pwd', v_outcome], p_client, p_now, p_expires_at, p_ends_at);
    end if;
    return query
        select v_outcome, u.codes_from,
            u.email, u.email_verified, u.display_name, u.created_at, u.updated_at, u.is_admin
        from (select) as always left join data.users u on u.user_id = p_user;
end $$;
