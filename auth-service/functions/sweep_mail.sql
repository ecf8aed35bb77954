-- Removes, of any user, mails with which nothing is to be done any more since
-- p_done_before, or nothing was since p_left_before. Looks at up to p_limit after
-- (p_after_user, p_after_id), by their key; tells the last one, null when there
-- are no more.
create or replace function api.sweep_mail(
    p_done_before timestamptz, p_left_before timestamptz,
    p_after_user uuid, p_after_id uuid, p_limit bigint,
    out last_user uuid, out last_id uuid
) language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_nil constant uuid := '00000000-0000-0000-0000-000000000000';
begin
    perform set_config('app.sweep', 'on', true);
    with page as (
        select o.user_id, o.id, o.created_at, o.next_attempt_at from data.outbox o
        where (o.user_id, o.id) > (coalesce(p_after_user, v_nil), coalesce(p_after_id, v_nil))
        order by o.user_id, o.id
        limit p_limit
    ), removed as (
        delete from data.outbox o using page p
        where o.user_id = p.user_id and o.id = p.id and p.created_at < p_done_before
            and (p.next_attempt_at is null or p.created_at < p_left_before)
    )
    select p.user_id, p.id into last_user, last_id
        from page p where (select count(*) from page) = p_limit
        order by p.user_id desc, p.id desc limit 1;
    perform set_config('app.sweep', '', true);
end $$;
