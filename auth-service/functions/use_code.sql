-- Takes a code of the user, whose row in data.users is locked: an authenticator's
-- by the factors and time steps that it fits, a passkey's answer by the passkey and
-- when it was asked for, a recovery code by its hash. Outcomes:
--   otp        it is taken, and none of this time step or before will be again
--   pop        it is taken, and none that was asked for then or before will be
--              again; a sign-in asks only once, and so gives no time
--   recovery   it is taken, and is good no more
--   wrong      it is not; many of an authenticator in a row make the next ones wait
--   throttled  it was not looked at: see users.codes_from
create or replace function data.use_code(
    p_user uuid, p_method text, p_factors uuid[], p_steps bigint[], p_hash bytea, p_now timestamptz
) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_factor uuid;
    v_step bigint;
begin
    if p_method = 'recovery' then
        -- Nobody guesses 80 bits: these are not delayed, and so always a way in.
        delete from data.recovery_codes c
            where c.user_id = p_user and c.set_id = any (p_factors) and c.hash = p_hash
            returning c.set_id into v_factor;
    elsif p_method = 'pop' then
        -- Nor a signature.
        select f.id, answer.step into v_factor, v_step
            from data.factors f
            join unnest(p_factors, p_steps) as answer (factor, step) on answer.factor = f.id
            where f.user_id = p_user and f.kind = 'passkey' and f.confirmed_at is not null
                and (answer.step is null or f.last_step < answer.step)
            limit 1;
    elsif exists (select from data.users u where u.user_id = p_user and u.codes_from > p_now) then
        return 'throttled';
    else
        select f.id, fits.step into v_factor, v_step
            from data.factors f
            join unnest(p_factors, p_steps) as fits (factor, step) on fits.factor = f.id
            where f.user_id = p_user and f.kind = 'totp' and f.confirmed_at is not null
                and f.last_step < fits.step
            order by fits.step desc limit 1;
    end if;
    if v_factor is null then
        -- A code that was used before is no guess.
        if p_method = 'otp' and cardinality(p_factors) = 0 then
            perform data.count_wrong_code(p_user, p_now);
        end if;
        return 'wrong';
    end if;
    update data.factors f set last_used_at = p_now, last_step = coalesce(v_step, f.last_step)
        where f.user_id = p_user and f.id = v_factor;
    -- Not by a passkey: its owner uses it without ever seeing that codes are guessed.
    update data.users u set wrong_codes = 0, codes_from = null
        where u.user_id = p_user and u.wrong_codes > 0 and p_method <> 'pop';
    return p_method;
end $$;
