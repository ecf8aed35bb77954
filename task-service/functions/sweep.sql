-- Purges what is kept for a time only, user by user: deleted tasks and lists
-- after 30 days, request ids after 24 hours. Looks at up to p_limit users after
-- p_after and tells the last of them it is done with, null when there are no
-- more, and how much it purged. After p_rows rows it stops, so that no call
-- takes long; the next one goes on where it was.
--
-- The users are walked by their key, a call its share of them: reading all of them
-- and sorting would be done again by each call. Their rows are arrays, which are
-- made once however few the planner expects.
--
-- Of users who were erased the mark stays: another service that still has the id
-- may try to write for it by a token of its own, however much later.
--
-- The highest revision that a user loses is remembered: who knows less cannot
-- be told what is gone.
create or replace function api.sweep(
    p_now timestamptz, p_after uuid, p_limit bigint, p_rows bigint,
    out last_user uuid, out tombstones bigint, out requests bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_user uuid;
    v_erased_at timestamptz;
    v_count bigint;
    v_horizon bigint;
    v_bin constant timestamptz := p_now - interval '30 days';
    v_start constant uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
begin
    tombstones := 0;
    requests := 0;
    perform set_config('app.sweep', 'on', true);
    for v_user, v_erased_at in
        select s.user_id, s.erased_at
        from data.user_state s
        where s.user_id > v_start
        order by s.user_id
        limit p_limit
    loop
        perform set_config('app.user_id', v_user::text, true);
        if v_erased_at is not null then
            last_user := v_user;
            continue;
        end if;
        -- In the order in which writes lock them.
        delete from data.requests r
        where r.user_id = v_user and r.id = any (array(
            select x.id from data.requests x
            where x.user_id = v_user and x.created_at <= p_now - interval '24 hours'
            limit p_rows - tombstones - requests
        ));
        get diagnostics v_count = row_count;
        requests := requests + v_count;

        perform from data.tasks t where t.user_id = v_user and t.deleted_at <= v_bin limit 1;
        if not found then
            perform from data.lists l where l.user_id = v_user and l.deleted_at <= v_bin limit 1;
        end if;
        if found then
            perform data.take_turn(v_user);
            with tasks as (
                delete from data.tasks t
                where t.user_id = v_user and t.id = any (array(
                    select x.id from data.tasks x
                    where x.user_id = v_user and x.deleted_at <= v_bin
                    order by x.deleted_at
                    limit greatest(p_rows - tombstones - requests, 0)
                ))
                returning t.rev
            ),
            lists as (
                delete from data.lists l
                where l.user_id = v_user and l.id = any (array(
                    select x.id from data.lists x
                    where x.user_id = v_user and x.deleted_at <= v_bin
                    order by x.deleted_at
                    limit greatest(p_rows - tombstones - requests, 0)
                ))
                returning l.rev
            )
            select count(*), max(g.rev) into v_count, v_horizon
            from (select rev from tasks union all select rev from lists) g;
            update data.user_state s
            set horizon_rev = greatest(s.horizon_rev, v_horizon)
            where s.user_id = v_user;
            tombstones := tombstones + v_count;
        end if;
        if tombstones + requests >= p_rows then
            last_user := coalesce(last_user, v_start);
            exit;
        end if;
        last_user := v_user;
    end loop;
    perform set_config('app.sweep', '', true);
end
$$;
