-- Ends sessions of the user of this statement: these, or all if p_sessions is
-- null, but never p_except. Notes that as p_kind if it is given and there were
-- any, tells the verifiers, and how many were ended.
--
-- Whoever calls it has locked the user's row first. The audit log's head comes
-- next and that of the verifiers last, in every function: a user's own calls
-- must not wait for each other with the row that everybody needs.
create or replace function data.end_sessions(
    p_user uuid, p_sessions uuid[], p_except uuid, p_now timestamptz,
    p_kind text default null, p_client jsonb default null
) returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_ended uuid[];
    v_count bigint;
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
    v_count := cardinality(v_ended);
    if v_count > 0 and p_kind is not null then
        perform data.audit(
            p_user, p_kind, p_client, p_sessions[1],
            case when p_sessions is null then jsonb_build_object('count', v_count) end, p_now);
    end if;
    perform data.tell_verifiers(
        'session', array_fill(p_user, array[v_count::integer]), v_ended, p_now, p_now);
    return v_count;
end $$;
