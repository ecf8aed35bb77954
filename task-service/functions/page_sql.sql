-- The statement for a page, for execute by list_tasks, which says what $1 to $11
-- are. Tasks without the field of the order come after all that have it, newest
-- first: p_unset is for them. p_resumed says that the page begins after a task.
-- Nothing but the filter comes from a caller, and that only by filter_sql.
-- What is open, closed and in the bin is read apart, each by its index, where the
-- filter does not ask for all or the bin is asked for too.
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
    -- As in the indexes.
    c_state constant text := '(case when t.deleted_at is not null then 2::bigint '
        'when t.completed_at is null then 0 else 1 end) = ';
    c_open constant jsonb := '{"field": "status", "op": "=", "value": "OPEN"}';
    -- What has to be true of everything that the filter finds.
    v_terms constant jsonb := case
        when p_filter ? 'and' then p_filter -> 'and'
        when p_filter ? 'field' then jsonb_build_array(p_filter)
        else '[]'
    end;
    v_order constant text := case when p_unset then 'create_time' else p_order end;
    v_descending constant boolean := p_descending or p_unset;
    v_direction constant text := case when v_descending then ' desc' else '' end;
    v_beyond constant text := case when v_descending then ' < ' else ' > ' end;
    v_keys constant text := case v_order
        when 'create_time' then 't.created_at$, t.id$'
        when 'update_time' then 't.rev$'
        when 'due' then
            't.due_date$, (case when t.due_minute is null then -1 else t.due_minute end)$, t.id$'
        when 'priority' then 't.priority$, t.id$'
        when 'position' then 't.list_id$, t.place$, t.position$, t.id$'
    end;
    v_after constant text := case v_order
        when 'create_time' then '(t.created_at, t.id)' || v_beyond || '($4, $5)'
        when 'update_time' then 't.rev' || v_beyond || '$6'
        when 'due' then
            '(t.due_date, (case when t.due_minute is null then -1 else t.due_minute end), t.id)'
            || v_beyond || '($7, $8, $5)'
        when 'priority' then '(t.priority, t.id)' || v_beyond || '($9, $5)'
        -- The index is searched by the first; the rest leaves out a few. Within
        -- a list nothing is said of it, or Postgres would expect next to nothing.
        when 'position' then case
                when v_terms @> '[{"field": "list", "op": "="}]' then 't.place'
                else '(t.list_id, t.place)'
            end
            || rtrim(v_beyond) || '= ' || case
                when v_terms @> '[{"field": "list", "op": "="}]' then 'trunc($11)::bigint'
                else '($10, trunc($11)::bigint)'
            end
            || ' and not (t.list_id = $10 and t.place = trunc($11)::bigint'
            ' and not (t.position, t.id)' || v_beyond || '($11, $5))'
    end;
    v_sorted constant text := ' order by ' || replace(v_keys, '$', v_direction) || ' limit $2';
    v_condition constant text := concat_ws(' and ',
        ' from data.tasks t where t.user_id = $1',
        case when p_order = 'due' then
            't.due_date is ' || case when p_unset then 'null' else 'not null' end
        end,
        case when p_order = 'priority' then
            't.priority ' || case when p_unset then '= 0' else '> 0' end
        end,
        case when p_resumed then v_after end
    ) || ' and ';
    v_in_bin constant boolean := v_terms @> '[{"field": "delete_time"}]';
    v_filter constant text := ' and ' || data.filter_sql(p_filter);
    v_parts text[] := '{}';
    v_part text;
    v_sql text;
begin
    if v_in_bin and not p_show_deleted then
        v_parts := array['false'];
    elsif v_in_bin then
        null;
    elsif v_terms @> jsonb_build_array(c_open) then
        -- Said once: as if the two had nothing to do with each other, Postgres
        -- would expect next to nothing and sort all of it.
        v_parts := array[concat_ws(' and ', c_state || '0', (
            select string_agg(data.filter_sql(term), ' and ')
            from jsonb_array_elements(v_terms) terms(term)
            where term <> c_open
        ))];
    elsif v_terms @> '[{"field": "status", "op": "="}]'
            or v_terms @> '[{"field": "complete_time"}]' then
        v_parts := array[c_state || '1' || v_filter];
    else
        v_parts := array['t.deleted_at is null' || v_filter];
    end if;
    if p_show_deleted then
        v_parts := v_parts || (c_state || '2' || v_filter);
    end if;
    foreach v_part in array v_parts loop
        v_sql := concat_ws(' union all ', v_sql,
            '(select ' || c_columns || ', t.place' || v_condition || v_part || v_sorted || ')');
    end loop;
    return 'select $3, ' || c_columns || ' from (' || v_sql || ') t' || v_sorted;
end
$$;
