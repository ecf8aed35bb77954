-- The statement for a page, for execute by list_tasks, which says what $1 to $11
-- are. Tasks without the field of the order come after all that have it, newest
-- first: p_unset is for them. p_resumed says that the page begins after a task.
-- Nothing but the filter comes from a caller, and that only by filter_sql.
-- Tasks in the bin have indexes of their own, so they are read apart and merged.
create or replace function data.page_sql(
    p_filter jsonb, p_order text, p_descending boolean, p_show_deleted boolean,
    p_unset boolean, p_resumed boolean
) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    c_columns constant text := 't.id, t.title, t.notes, t.completed_at, t.cancelled, t.due_date, '
        't.due_minute, t.due_zone, t.list_id, t.parent_id, t.priority, t.labels, t.position, '
        't.rrule, t.rrule_after, t.rrule_start, t.rrule_number, t.series_id, t.created_at, '
        't.updated_at, t.deleted_at, t.rev';
    v_descending constant boolean := p_descending or p_unset;
    v_order constant text := case when p_unset then 'create_time' else p_order end;
    v_keys constant text[] := case v_order
        when 'create_time' then array['t.created_at', 't.id']
        when 'update_time' then array['t.rev']
        when 'due' then array['t.due_date', 'coalesce(t.due_minute, -1)', 't.id']
        when 'priority' then array['t.priority', 't.id']
        when 'position' then array['t.list_id', 't.position', 't.id']
    end;
    v_last constant text := case v_order
        when 'create_time' then '($4, $5)'
        when 'update_time' then '($6)'
        when 'due' then '($7, $8, $5)'
        when 'priority' then '($9, $5)'
        when 'position' then '($10, $11, $5)'
    end;
    v_condition constant text := concat_ws(' and ',
        't.user_id = $1',
        case p_order
            when 'due' then case when p_unset then 't.due_date is null' else 't.due_date is not null' end
            when 'priority' then case when p_unset then 't.priority = 0' else 't.priority > 0' end
        end,
        case when p_resumed then
            '(' || array_to_string(v_keys, ', ') || ')'
            || case when v_descending then ' < ' else ' > ' end || v_last
        end,
        data.filter_sql(p_filter)
    );
    v_sorted constant text := ' order by '
        || array_to_string(v_keys, case when v_descending then ' desc, ' else ', ' end)
        || case when v_descending then ' desc' else '' end || ' limit $2';
    v_live constant text := 'select ' || c_columns || ' from data.tasks t where t.deleted_at is null and '
        || v_condition || v_sorted;
    v_binned constant text := 'select ' || c_columns
        || ' from data.tasks t where t.deleted_at is not null and ' || v_condition || v_sorted;
begin
    return 'select $3, ' || c_columns || ' from (' || case
        when not p_show_deleted then v_live
        -- A comparison of delete_time holds for nothing else.
        when p_filter ->> 'field' = 'delete_time'
            or p_filter -> 'and' @> '[{"field": "delete_time"}]' then v_binned
        else '(' || v_live || ') union all (' || v_binned || ')'
    end || ') t' || v_sorted;
end
$$;
