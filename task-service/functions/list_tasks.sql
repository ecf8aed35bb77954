-- A page of tasks, each row with the revision of the user's last change; one row
-- without a task if there are none. p_after is the task that the page begins
-- after: the columns that the order compares, and whether it was found among
-- those without the field of the order.
-- It ends when its texts have 1 MiB: p_limit and that bound let one task through
-- that is not on it any more and tells that there are more, as page.rs has it.
-- Stable, so everything is read as of one moment. The lists that are asked for most
-- have statements that are planned once.
--
-- A page is read along the index of its order, until it is full: what Postgres
-- expects of a user it knows little of has no say in that. Only where the filter
-- has other terms by which a few tasks can be found may they be found first and
-- sorted then.
create or replace function api.list_tasks(
    p_user uuid, p_filter jsonb, p_order text, p_descending boolean, p_show_deleted boolean,
    p_after jsonb, p_limit bigint
)
returns table (
    head_rev bigint,
    id uuid, title varchar, notes varchar, completed_at timestamptz, cancelled boolean,
    due_date date, due_minute bigint, due_zone text, list_id uuid, parent_id uuid,
    priority bigint, labels text[], "position" numeric, rrule text, rrule_after boolean,
    rrule_start date, rrule_number bigint, series_id uuid,
    created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, rev bigint
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_sort = off
set enable_incremental_sort = off
rows 50
as $$
declare
    v_newest constant boolean := p_order = 'create_time' and p_descending and not p_show_deleted;
    -- The bytes of a page, as in page_sql and in page.rs.
    c_bytes constant bigint := 1048576;
    -- As in the column state.
    v_status constant bigint := case p_filter
        when '{"field": "status", "op": "=", "value": "OPEN"}' then 0
        when '{"field": "status", "op": "=", "value": "DONE"}' then 1
        when '{"field": "status", "op": "=", "value": "CANCELLED"}' then 2
    end;
    -- Whether the page begins behind all that have the field of the order.
    v_unset constant boolean := coalesce((p_after ->> 'unset')::boolean, false);
    -- The fields that have to be as the filter says.
    v_fields jsonb;
    v_after data.tasks;
    v_at timestamptz := 'infinity';
    v_id uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    v_head bigint;
    v_found bigint;
    v_count bigint := 0;
begin
    perform set_config('app.user_id', p_user::text, true);
    select s.head_rev into v_head from data.user_state s where s.user_id = p_user;
    v_head := coalesce(v_head, 0);
    head_rev := v_head;
    if p_after is not null then
        v_after := jsonb_populate_record(null::data.tasks, p_after);
        v_at := v_after.created_at;
        v_id := v_after.id;
    end if;

    if v_newest and p_filter is null then
        return query
        select v_head, t.id, t.title, t.notes, t.completed_at, t.cancelled, t.due_date,
               t.due_minute, t.due_zone, t.list_id, t.parent_id, t.priority, t.labels, t.position,
               t.rrule, t.rrule_after, t.rrule_start, t.rrule_number, t.series_id, t.created_at,
               t.updated_at, t.deleted_at, t.rev
        from (
            select x.*,
                   sum(octet_length(x.title) + octet_length(x.notes)
                       + octet_length(array_to_string(x.labels, ''))) over almost as before
            from (
                select t.*
                from data.tasks t
                where t.user_id = p_user and t.deleted_at is null
                  and (t.created_at, t.id) < (v_at, v_id)
                order by t.created_at desc, t.id desc
                limit p_limit
            ) x
            window almost as (rows between unbounded preceding and 2 preceding)
        ) t
        where t.before < c_bytes or t.before is null;
        get diagnostics v_count = row_count;
    elsif v_newest and v_status is not null then
        return query
        select v_head, t.id, t.title, t.notes, t.completed_at, t.cancelled, t.due_date,
               t.due_minute, t.due_zone, t.list_id, t.parent_id, t.priority, t.labels, t.position,
               t.rrule, t.rrule_after, t.rrule_start, t.rrule_number, t.series_id, t.created_at,
               t.updated_at, t.deleted_at, t.rev
        from (
            select x.*,
                   sum(octet_length(x.title) + octet_length(x.notes)
                       + octet_length(array_to_string(x.labels, ''))) over almost as before
            from (
                select t.*
                from data.tasks t
                where t.user_id = p_user and t.state = v_status
                  and (t.created_at, t.id) < (v_at, v_id)
                order by t.created_at desc, t.id desc
                limit p_limit
            ) x
            window almost as (rows between unbounded preceding and 2 preceding)
        ) t
        where t.before < c_bytes or t.before is null;
        get diagnostics v_count = row_count;
    else
        v_fields := jsonb_path_query_array(p_filter, '$.and[*].field')
            || jsonb_path_query_array(p_filter, '$.field');
        if v_fields - p_order ?| array['parent_task', 'due', 'priority', 'create_time'] then
            perform set_config('enable_sort', 'on', true);
        end if;
        for v_pass in 1..2 loop
            -- First those that have the field of the order, unless the page
            -- begins behind them; then those that do not, where there are such.
            continue when v_pass = 1 and v_unset;
            exit when v_pass = 2 and (
                p_order not in ('due', 'priority') or v_count >= p_limit
                or v_fields ? p_order
            );
            return query execute data.page_sql(
                p_filter, p_order, p_descending, p_show_deleted, v_pass = 2,
                p_after is not null and (v_pass = 1 or v_unset)
            )
            using p_user, p_limit - v_count, v_head, v_after.created_at, v_after.id, v_after.rev,
                v_after.due_date, coalesce(v_after.due_minute, -1), v_after.priority,
                v_after.list_id, v_after.position;
            get diagnostics v_found = row_count;
            v_count := v_count + v_found;
        end loop;
    end if;
    if v_count = 0 then
        return next;
    end if;
end
$$;
