-- Puts tasks and their subtasks elsewhere; a part of mutate_tasks. No task has
-- another of them as its parent or as its neighbour, and either all of them
-- have a neighbour or none has: then each becomes the first.
--
-- Places are unique in a list, also between tasks with different parents. Those
-- that move between the same two tasks share the gap evenly, with as few
-- decimals as it takes; a list whose places get longer than 20 is numbered anew.
create or replace function data.move_tasks(
    p_user uuid, p_now timestamptz, p_rev bigint, p_ops jsonb,
    out rev bigint, out more bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rev bigint := p_rev;
    v_op bigint;
    v_outcome text;
    v_list uuid;
    v_places jsonb;
    v_count bigint;
begin
    perform data.check_targets(p_user, p_ops);

    -- One that moves to another list takes its subtasks along, and would take
    -- another of them.
    with recursive below as (
        select d.id, false as taken
        from data.destinations(p_user, p_ops) d
        join data.tasks t on t.user_id = p_user and t.id = d.id and t.list_id <> d.list_id
        where jsonb_array_length(p_ops) > 1
        union all
        select t.id, true
        from below b
        join data.tasks t on t.user_id = p_user and t.parent_id = b.id
    )
    select o.op into v_op
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
    join below b on b.id = o.id and b.taken
    limit 1;
    if found then
        perform data.refuse('entangled', v_op, null);
    end if;

    select d.op, d.fault into v_op, v_outcome
    from data.destinations(p_user, p_ops) d
    where d.fault is not null
    order by d.op
    limit 1;
    if found then
        perform data.refuse(v_outcome, v_op, null);
    end if;

    v_places := data.places(p_user, v_rev, p_ops);
    -- Once is enough: what is numbered anew has room.
    for v_list in
        select distinct l.list_id
        from jsonb_to_recordset(v_places) as l (list_id uuid, "position" numeric)
        where scale(l.position) > 20
    loop
        with numbered as (
            select t.id, v_rev + row_number() over (order by t.position, t.id) as new_rev
            from data.tasks t
            where t.user_id = p_user and t.list_id = v_list and t.deleted_at is null
        )
        update data.tasks t
        set position = 5000000000000000 + n.new_rev, updated_at = p_now, rev = n.new_rev
        from numbered n
        where t.user_id = p_user and t.id = n.id;
        get diagnostics v_count = row_count;
        v_rev := v_rev + v_count;
        v_places := null;
    end loop;
    v_places := coalesce(v_places, data.places(p_user, v_rev, p_ops));

    with recursive moved as (
        select p.op, t.id, p.list_id, p.parent_id, p.position, true as named,
               p.list_id <> t.list_id as elsewhere
        from jsonb_to_recordset(v_places) as p (
            op bigint, id uuid, list_id uuid, parent_id uuid, "position" numeric
        )
        join data.tasks t on t.user_id = p_user and t.id = p.id
        union all
        -- Subtasks go along to another list, those in the bin too.
        select m.op, t.id, m.list_id, t.parent_id, null::numeric, false, true
        from moved m
        join data.tasks t on t.user_id = p_user and t.parent_id = m.id
        where m.elsewhere
    ),
    numbered as (
        select m.*, v_rev + row_number() over (order by m.named desc, m.op, t.position desc) as new_rev
        from moved m
        join data.tasks t on t.user_id = p_user and t.id = m.id
    )
    update data.tasks t
    set list_id = n.list_id,
        parent_id = n.parent_id,
        position = coalesce(n.position, 5000000000000000 - n.new_rev),
        updated_at = p_now,
        rev = n.new_rev
    from numbered n
    where t.user_id = p_user and t.id = n.id;
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
    more := 0;
end
$$;
