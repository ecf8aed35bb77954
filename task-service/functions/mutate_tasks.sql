-- Makes the changes of a batch, all or none. p_steps is a list of steps, each
-- with its kind and with operations that do not need each other and so are made
-- at once. Outcomes: ok or replayed, with each operation's task as it is after
-- all of them, in their order, and for a completed task `next` with the
-- occurrence that was made; or one row with the first refusal: its outcome, the
-- operation, a note.
-- head is the revision of the user's last change.
create or replace function api.mutate_tasks(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_ids uuid[], p_steps jsonb, p_quota bigint
)
returns table (outcome text, op bigint, note text, head bigint, task data.tasks)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
rows 10
as $$
declare
    v_first bigint;
    v_step jsonb;
    v_done record;
    v_more bigint := 0;
    v_ids uuid[] := p_ids;
    v_op text;
begin
    perform set_config('app.user_id', p_user::text, true);
    begin
        if p_request is not null then
            outcome := (data.claim_request(p_user, p_now, p_request, p_hash, p_ids[1])).outcome;
        end if;
        if outcome = 'request_id_reused' then
            return next;
            return;
        elsif outcome = 'replayed' then
            select coalesce(r.task_ids, array[r.task_id]) into v_ids
            from data.requests r
            where r.user_id = p_user and r.id = p_request;
            v_first := 9223372036854775807;
        else
            outcome := 'ok';
            if p_request is not null and cardinality(p_ids) > 1 then
                update data.requests r
                set task_ids = p_ids
                where r.user_id = p_user and r.id = p_request;
            end if;
            v_first := data.take_turn(p_user);
            head := v_first;
            for v_step in select s.value from jsonb_array_elements(p_steps) s loop
                v_done := case v_step ->> 'kind'
                    when 'create' then data.create_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'update' then data.update_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'complete' then data.complete_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'reopen' then data.reopen_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'move' then data.move_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'delete' then data.delete_tasks(p_user, p_now, head, v_step -> 'ops')
                    when 'undelete' then data.undelete_tasks(p_user, p_now, head, v_step -> 'ops')
                end;
                head := v_done.rev;
                v_more := v_more + v_done.more;
            end loop;
            if head > v_first then
                update data.user_state s
                set head_rev = head, task_count = s.task_count + v_more
                where s.user_id = p_user and (v_more <= 0 or s.task_count + v_more <= p_quota);
                if not found then
                    perform data.refuse('task_quota', null, null);
                end if;
            end if;
        end if;
    exception when sqlstate 'DU001' then
        get stacked diagnostics
            outcome = message_text, v_op = pg_exception_detail, note = pg_exception_hint;
        op := nullif(v_op, '');
        head := null;
        return next;
        return;
    end;

    return query
    select coalesce(a.outcome, mutate_tasks.outcome), a.op, null::text, mutate_tasks.head, a.task
    from (
        select null::text as outcome, i.place - 1 as op, t as task
        from unnest(v_ids) with ordinality as i (id, place)
        left join data.tasks t on t.user_id = p_user and t.id = i.id
        union all
        select 'next', i.place - 1, x
        from unnest(v_ids) with ordinality as i (id, place)
        join data.tasks t on t.user_id = p_user and t.id = i.id and t.rev > v_first
        join data.tasks x on x.user_id = p_user and x.id = t.next_id and x.rev > v_first
    ) a
    order by a.op, a.outcome nulls first;
end
$$;
