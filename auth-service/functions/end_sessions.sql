-- Ends sessions of the user of this statement: these, or all if p_sessions is
-- null, but never p_except. Tells the verifiers, and how many were ended.
create or replace function data.end_sessions(
    p_user uuid, p_sessions uuid[], p_except uuid, p_now timestamptz
) returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_ended uuid[];
begin
    -- Whoever ends all sessions ends what could still become one, too. First, so
    -- that what becomes one meanwhile is ended below.
    if p_sessions is null then
        delete from data.challenges where user_id = p_user;
    end if;
    with ended as (
        update data.sessions set ended_at = p_now
        where user_id = p_user and ended_at is null and expires_at > p_now
            and (p_sessions is null or id = any (p_sessions)) and id is distinct from p_except
        returning id
    )
    select coalesce(array_agg(id), '{}') into v_ended from ended;
    perform data.tell_verifiers(
        'session', array_fill(p_user, array[cardinality(v_ended)]), v_ended, p_now, p_now);
    return cardinality(v_ended);
end $$;
