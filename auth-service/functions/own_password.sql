-- Counts an attempt at the caller's password, and finds what is stored of it and
-- the factors that are asked for beside it; or tells how long the attempt has to
-- wait, and then nothing else.
create or replace function api.own_password(
    p_user uuid, p_session uuid, p_bucket bytea, p_rule jsonb, p_audited bigint,
    p_client jsonb, p_now timestamptz
) returns table (
    retry_after_ms bigint, password_hash text, pepper_id text,
    factor_ids uuid[], factor_kinds text[], factor_secrets bytea[]
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_wait interval;
begin
    perform data.acting_in(p_user, p_session, p_now);
    v_wait := coalesce(
        data.throttled_for(array[p_bucket], p_now),
        data.count_attempt(p_bucket, p_rule, p_now));
    if v_wait is not null then
        perform data.note_refusal(
            p_user, 'password.throttled', p_bucket, p_audited, p_client, p_now);
        return query select
            ceil(extract(epoch from v_wait) * 1000)::bigint,
            null::text, null::text, null::uuid[], null::text[], null::bytea[];
        return;
    end if;
    return query
        select null::bigint, u.password_hash, u.pepper_id, k.ids, k.kinds, k.secrets
        from data.users u cross join data.known_factors(p_user) k
        where u.user_id = p_user;
end $$;
