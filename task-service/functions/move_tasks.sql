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
    v_above boolean;
    v_rev bigint := p_rev;
    v_to jsonb;
    v_op bigint;
    v_outcome text;
    v_beside boolean;
    v_elsewhere boolean;
    v_list uuid;
    v_rows jsonb;
    v_count bigint;
begin
    v_above := (data.targets(p_user, p_ops)).above;

    select jsonb_agg(jsonb_build_object(
               'op', d.op, 'id', d.id, 'list_id', d.new_list, 'parent_id', d.new_parent,
               'beside', coalesce(d.after, d.before), 'after', d.after is not null,
               'elsewhere', d.new_list <> d.old_list
           ) order by d.op),
           (array_agg(d.op order by d.op) filter (where d.fault is not null))[1],
           (array_agg(d.fault order by d.op) filter (where d.fault is not null))[1],
           bool_or(coalesce(d.after, d.before) is not null),
           bool_or(d.new_list <> d.old_list)
    into v_to, v_op, v_outcome, v_beside, v_elsewhere
    from (
        select o.op, o.id, o.after, o.before,
               t.list_id as old_list,
               coalesce(p.list_id, o.list, t.list_id) as new_list,
               case
                   when o.parent is not null then o.parent
                   when o.top or o.list <> t.list_id then null
                   else t.parent_id
               end as new_parent,
               case
                   when o.parent is not null and p.id is null then 'parent_not_found'
                   when p.list_id <> o.list then 'list_mismatch'
                   when o.list <> '00000000-0000-0000-0000-000000000000' and l.id is null
                       then 'list_not_found'
                   when o.parent is not null and data.misfit(p_user, o.id, o.parent) is not null
                       then data.misfit(p_user, o.id, o.parent)
                   when coalesce(o.after, o.before) = o.id then 'place_not_found'
               end as fault
        from jsonb_to_recordset(p_ops) as o (
            op bigint, id uuid, list uuid, parent uuid, top boolean, after uuid, before uuid
        )
        join data.tasks t on t.user_id = p_user and t.id = o.id
        left join data.tasks p
            on p.user_id = p_user and p.id = o.parent and p.deleted_at is null
        left join data.lists l
            on l.user_id = p_user and l.id = o.list and l.deleted_at is null
        where o.op between 0 and 499
    ) d;

    -- One that moves to another list takes its subtasks along, and would take
    -- another of them.
    if v_above and v_elsewhere and jsonb_array_length(p_ops) > 1 then
        with recursive below as (
            select d.id, false as taken
            from jsonb_to_recordset(v_to) as d (id uuid, elsewhere boolean)
            where d.elsewhere
            union all
            select t.id, true
            from below b
            join data.tasks t
                on t.user_id = p_user and t.parent_id = b.id and t.deleted_at is null
        )
        select o.op into v_count
        from jsonb_to_recordset(p_ops) as o (op bigint, id uuid)
        join below b on b.id = o.id and b.taken
        limit 1;
        if found then
            perform data.refuse('entangled', v_count, null);
        end if;
    end if;
    if v_op is not null then
        perform data.refuse(v_outcome, v_op, null);
    end if;

    v_rows := v_to;
    if v_beside then
        v_rows := data.places(p_user, v_rev, v_to);
        -- Once is enough: what is numbered anew has room.
        for v_list in
            select distinct l.list_id
            from jsonb_to_recordset(v_rows) as l (list_id uuid, "position" numeric)
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
            v_rows := null;
        end loop;
        v_rows := coalesce(v_rows, data.places(p_user, v_rev, v_to));
    end if;

    -- Subtasks go along to another list. Those in the bin stay as they are, or
    -- they would be as young as this change when they are purged: undelete_tasks
    -- brings them back to where their parent is.
    if v_above and v_elsewhere then
        with recursive moved as (
            select p.op, p.id, p.list_id, p.parent_id, p.position, true as named, p.elsewhere
            from jsonb_to_recordset(v_rows) as p (
                op bigint, id uuid, list_id uuid, parent_id uuid, "position" numeric,
                elsewhere boolean
            )
            union all
            select m.op, t.id, m.list_id, t.parent_id, null::numeric, false, true
            from moved m
            join data.tasks t
                on t.user_id = p_user and t.parent_id = m.id and t.deleted_at is null
            where m.elsewhere and m.op between 0 and 499
        )
        select jsonb_agg(jsonb_build_object(
            'id', m.id, 'list_id', m.list_id, 'parent_id', m.parent_id, 'position', m.position
        ) order by m.named desc, m.op, t.position desc)
        into v_rows
        from moved m
        join data.tasks t on t.user_id = p_user and t.id = m.id
        where m.op between 0 and 499;
    end if;

    update data.tasks t
    set list_id = r.list_id,
        parent_id = r.parent_id,
        position = coalesce(r.position, 5000000000000000 - (v_rev + r.place)),
        updated_at = p_now,
        rev = v_rev + r.place
    from rows from (
        jsonb_to_recordset(v_rows) as (
            id uuid, list_id uuid, parent_id uuid, "position" numeric
        )
    ) with ordinality as r (id, list_id, parent_id, "position", place)
    where t.user_id = p_user and t.id = r.id
      and r.place between 1 and jsonb_array_length(v_rows);
    get diagnostics v_count = row_count;
    rev := v_rev + v_count;
    more := 0;
end
$$;
