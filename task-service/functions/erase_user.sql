-- Erases a user, step by step, so that no call takes long. The first call marks
-- the counters: it waits for whoever is writing, and nobody writes afterwards.
-- Each further one removes up to p_limit rows, until there are none. Whoever
-- knows changes of the user is told that everything is gone, by the horizon.
-- Called again after the end, it changes nothing.
--
-- Replicas that erase the same user wait for each other: one that was beside
-- another's step would find all its rows gone, and take that for the end. The
-- rows are an array, since the planner takes a user for few of them, and would
-- read a subquery once more for each.
create or replace function api.erase_user(
    p_user uuid, p_now timestamptz, p_limit bigint, out is_done boolean, out head bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count bigint;
    v_left bigint := p_limit;
begin
    perform set_config('app.user_id', p_user::text, true);
    select s.head_rev into head
    from data.user_state s
    where s.user_id = p_user and s.erased_at is not null
    for update;
    if not found then
        insert into data.user_state as s (user_id, head_rev, erased_at)
        values (p_user, 0, p_now)
        on conflict (user_id) do update
            set head_rev = s.head_rev + 1, horizon_rev = s.head_rev + 1,
                task_count = 0, list_count = 0, erased_at = p_now
        returning s.head_rev into head;
        is_done := false;
        return;
    end if;

    delete from data.tasks t
    where t.user_id = p_user and t.id = any (array(
        select x.id from data.tasks x where x.user_id = p_user order by x.id limit v_left
    ));
    get diagnostics v_count = row_count;
    v_left := v_left - v_count;
    delete from data.lists l
    where l.user_id = p_user and l.id = any (array(
        select x.id from data.lists x where x.user_id = p_user order by x.id limit v_left
    ));
    get diagnostics v_count = row_count;
    v_left := v_left - v_count;
    delete from data.requests r
    where r.user_id = p_user and r.id = any (array(
        select x.id from data.requests x where x.user_id = p_user order by x.id limit v_left
    ));
    get diagnostics v_count = row_count;
    is_done := v_left > v_count;
end
$$;
