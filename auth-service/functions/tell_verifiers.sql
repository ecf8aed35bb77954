-- Adds what every verifier is to be told. The row of trust_head makes everybody
-- else wait who has something to tell: call it as late as possible.
create or replace function data.tell_verifiers(
    p_kind text, p_subjects uuid[], p_sessions uuid[], p_not_before timestamptz, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint := cardinality(p_subjects);
    v_head bigint;
begin
    if v_count = 0 then
        return;
    end if;
    update data.trust_head set head_rev = head_rev + v_count returning head_rev into v_head;
    insert into data.trust_events (rev, kind, subject_id, session_id, not_before, created_at)
        select v_head - v_count + n, p_kind, told.subject_id, told.session_id, p_not_before, p_now
        from unnest(p_subjects, p_sessions) with ordinality as told (subject_id, session_id, n);
end $$;
