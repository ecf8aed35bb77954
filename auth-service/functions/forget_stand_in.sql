-- Removes up to p_limit mails, and as many tokens, that were written until
-- p_before under the stand-in of an address; tells how many. What was written
-- later is of whoever asks for an account with the address now. Leaves the
-- stand-in as the user of this statement.
create or replace function data.forget_stand_in(p_stand_in uuid, p_before timestamptz, p_limit bigint)
returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
    v_removed bigint;
begin
    perform set_config('app.user_id', coalesce(p_stand_in::text, ''), true);
    delete from data.outbox o using (
        select d.id from data.outbox d
        where d.user_id = p_stand_in and d.created_at <= p_before
        limit p_limit
    ) old where o.user_id = p_stand_in and o.id = old.id;
    get diagnostics v_removed = row_count;
    delete from data.mail_tokens t where t.user_id = p_stand_in and t.created_at <= p_before;
    get diagnostics v_count = row_count;
    return v_removed + v_count;
end $$;
