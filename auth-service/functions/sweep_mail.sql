-- Removes, of any user: up to p_limit mails with which nothing is to be done
-- any more since p_done_before, or nothing was since p_left_before, and as many
-- tokens that have expired. Tells how many there were of the more numerous.
create or replace function api.sweep_mail(
    p_done_before timestamptz, p_left_before timestamptz, p_now timestamptz, p_limit bigint
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_mails bigint;
    v_tokens bigint;
begin
    perform set_config('app.sweep', 'on', true);
    delete from data.outbox o using (
        select d.user_id, d.id from data.outbox d
        where d.created_at < p_done_before
            and (d.next_attempt_at is null or d.created_at < p_left_before)
        limit p_limit
    ) over where o.user_id = over.user_id and o.id = over.id;
    get diagnostics v_mails = row_count;
    delete from data.mail_tokens t using (
        select d.user_id, d.kind from data.mail_tokens d where d.expires_at < p_now limit p_limit
    ) over where t.user_id = over.user_id and t.kind = over.kind;
    get diagnostics v_tokens = row_count;
    return greatest(v_mails, v_tokens);
end $$;
