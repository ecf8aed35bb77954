-- Makes the changes of a batch, all or none. p_steps is a list of steps, each
-- with its kind and with operations that do not need each other and so are made
-- at once. Outcomes: ok or replayed, with each operation's task as it is after
-- all of them, and for a completed task `next` with the occurrence that was
-- made, in any order; or one row with the first refusal: its outcome, the
-- operation, a note. It is recurs, where it has to be worked out first when tasks
-- come again, with what all of them are like.
-- The texts of the tasks of an answer are at most 3 MiB.
-- head is the revision of the user's last change.
--
-- The plans are settled, not made anew for every call. Whatever is looked up is
-- looked up by its key: for the hundred operations that the planner expects in
-- any JSON it would read all tasks of the user instead. That operations are
-- numbered from 0 to 499 says nothing new, but it makes it expect one.
create or replace function api.mutate_tasks(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_ids uuid[], p_steps jsonb, p_quota bigint
)
returns table (outcome text, op bigint, note text, head bigint, task data.tasks)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
rows 1
as $$
declare
    v_first bigint;
    v_ops jsonb;
    v_done record;
    v_more bigint := 0;
    v_next boolean := false;
    v_unknown jsonb;
    v_ids uuid[] := p_ids;
    v_op text;
begin
    perform set_config('app.user_id', p_user::text, true);
    if cardinality(p_ids) > 500 then
        raise exception 'a batch of more than 500 operations';
    end if;
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
            for v_place in 0 .. jsonb_array_length(p_steps) - 1 loop
                v_ops := p_steps -> v_place -> 'ops';
                case p_steps -> v_place ->> 'kind'
                    when 'update' then
                        v_done := data.update_tasks(p_user, p_now, head, v_ops);
                    when 'complete' then
                        v_done := data.complete_tasks(
                            p_user, p_now, head, v_ops, v_place = jsonb_array_length(p_steps) - 1
                        );
                        v_next := v_next or v_done.more > 0;
                        if v_done.unknown is not null then
                            v_unknown := coalesce(v_unknown, '[]') || v_done.unknown;
                        end if;
                    when 'create' then
                        v_done := data.create_tasks(p_user, p_now, head, v_ops);
                    when 'reopen' then
                        v_done := data.reopen_tasks(p_user, p_now, head, v_ops);
                    when 'delete' then
                        v_done := data.delete_tasks(p_user, p_now, head, v_ops);
                    when 'move' then
                        v_done := data.move_tasks(p_user, p_now, head, v_ops);
                    when 'undelete' then
                        v_done := data.undelete_tasks(p_user, p_now, head, v_ops);
                end case;
                head := v_done.rev;
                v_more := v_more + v_done.more;
            end loop;
            if v_unknown is not null then
                perform data.refuse('recurs', null, v_unknown::text);
            end if;
            if head > v_first then
                update data.user_state s
                set head_rev = head, task_count = s.task_count + v_more
                where s.user_id = p_user and (v_more <= 0 or s.task_count + v_more <= p_quota);
                if not found then
                    perform data.refuse('task_quota', null, null);
                end if;
            end if;
            -- Nobody may learn only from an answer that cannot be received that the
            -- tasks are too large for it. So few fit in any case.
            if cardinality(p_ids) > 32 then
                select min(s.place) - 1 into op
                from (
                    select i.place,
                           sum(octet_length(t.title) + octet_length(t.notes)
                               + octet_length(array_to_string(t.labels, '')))
                               over (order by i.place) as bytes
                    from unnest(p_ids) with ordinality as i (id, place)
                    join data.tasks t on t.user_id = p_user and t.id = i.id
                    where i.place between 1 and cardinality(p_ids)
                ) s
                where s.bytes > 3145728;
                if op is not null then
                    perform data.refuse('batch_too_large', op, null);
                end if;
            end if;
        end if;
    exception when sqlstate 'DU001' then
        get stacked diagnostics
            outcome = message_text, v_op = pg_exception_detail, note = pg_exception_hint;
        op := nullif(v_op, '');
        -- The fault may be that an occurrence is missing.
        if v_unknown is not null then
            outcome := 'recurs';
            op := null;
            note := v_unknown::text;
        end if;
        head := null;
        return next;
        return;
    end;

    return query
    select mutate_tasks.outcome, i.place - 1, null::text, mutate_tasks.head, t
    from unnest(v_ids) with ordinality as i (id, place)
    left join data.tasks t on t.user_id = p_user and t.id = i.id
    where i.place between 1 and cardinality(v_ids);
    if v_next then
        return query
        select 'next', i.place - 1, null::text, mutate_tasks.head, x
        from unnest(v_ids) with ordinality as i (id, place)
        join data.tasks t on t.user_id = p_user and t.id = i.id and t.rev > v_first
        join data.tasks x on x.user_id = p_user and x.id = t.next_id and x.rev > v_first
        where i.place between 1 and cardinality(v_ids);
    end if;
end
$$;
