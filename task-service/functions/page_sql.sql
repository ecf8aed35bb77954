-- The statement for a page, for execute by list_tasks, which says what $1 to $11
-- are. Tasks without the field of the order come after all that have it, newest
-- first: p_unset is for them. p_resumed says that the page begins after a task.
-- Nothing but the filter comes from a caller, and that only by filter_sql.
--
-- Each state that the filter leaves over is read apart, by an index that has the
-- order behind the state, and they are merged. The list, where the filter names
-- one, is said as a range and is part of the order: with an equality an index
-- without it would have the order too, and whether it is taken would depend on
-- what other users have in their lists.
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
    c_minute constant text := '(case when t.due_minute is null then -1 else t.due_minute end)';
    -- What has to be true of everything that the filter finds.
    v_terms constant jsonb := case
        when p_filter ? 'and' then p_filter -> 'and'
        when p_filter ?| array['or', 'not', 'field'] then jsonb_build_array(p_filter)
        else '[]'
    end;
    v_term jsonb;
    v_condition text;
    -- The states in which that can be, what is asked of those in the bin, and what
    -- is asked besides in the other states, which say themselves what is open.
    v_states text := case when p_show_deleted then '0123' else '012' end;
    v_binned text;
    v_besides text;
    v_list text;
    v_order constant text := case when p_unset then 'create_time' else p_order end;
    v_descending constant boolean := p_descending or p_unset;
    v_direction constant text := case when v_descending then ' desc' else '' end;
    v_beyond constant text := case when v_descending then ' < ' else ' > ' end;
    v_keys text := case v_order
        when 'create_time' then 't.created_at$, t.id$'
        when 'update_time' then 't.rev$'
        when 'due' then 't.due_date$, ' || c_minute || '$, t.id$'
        when 'priority' then 't.priority$, t.id$'
        when 'position' then 't.place$, t.position$, t.id$'
    end;
    v_place text := case v_order
        when 'create_time' then '$4, $5'
        when 'update_time' then '$6'
        when 'due' then '$7, $8, $5'
        when 'priority' then '$9, $5'
    end;
    v_bounds text;
    v_sorted text;
    v_state text;
    v_sql text;
begin
    for v_number in 0 .. jsonb_array_length(v_terms) - 1 loop
        v_term := v_terms -> v_number;
        if v_list is null and v_term @> '{"field": "list", "op": "="}' then
            v_list := quote_literal(v_term ->> 'value') || '::uuid';
            continue;
        end if;
        v_condition := data.filter_sql(v_term);
        v_binned := concat_ws(' and ', v_binned, v_condition);
        if v_term ->> 'field' = 'status' then
            v_states := translate(v_states, case v_term ->> 'op'
                when '=' then case v_term ->> 'value'
                    when 'OPEN' then '12' when 'DONE' then '02' when 'CANCELLED' then '01'
                end
                when '!=' then case v_term ->> 'value'
                    when 'OPEN' then '0' when 'DONE' then '1' when 'CANCELLED' then '2'
                end
                else ''
            end, '');
        else
            v_besides := concat_ws(' and ', v_besides, v_condition);
            v_states := translate(v_states, case v_term ->> 'field'
                when 'complete_time' then '0'
                when 'delete_time' then '012'
                else ''
            end, '');
        end if;
    end loop;

    if v_list is not null or v_order = 'position' then
        v_keys := 't.list_id$, ' || v_keys;
        v_place := coalesce(v_list, '$10') || ', ' || v_place;
    end if;
    -- The place of a task is a bound of the list too; where both were said, the
    -- index would be searched from the wrong one.
    v_bounds := concat_ws(' and ',
        case p_order
            when 'due' then 't.due_date is ' || case when p_unset then 'null' else 'not null' end
            when 'priority' then 't.priority ' || case when p_unset then '= 0' else '> 0' end
        end,
        case when v_descending or not p_resumed then 't.list_id >= ' || v_list end,
        case when not (v_descending and p_resumed) then 't.list_id <= ' || v_list end,
        case
            when not p_resumed then null
            -- The index is searched by the first; the rest leaves out a few.
            when v_order = 'position' then
                '(t.list_id, t.place)' || rtrim(v_beyond) || '= ($10, trunc($11)::bigint)'
                ' and not (t.list_id = $10 and t.place = trunc($11)::bigint'
                ' and not (t.position, t.id)' || v_beyond || '($11, $5))'
            else '(' || replace(v_keys, '$', '') || ')' || v_beyond || '(' || v_place || ')'
        end
    );
    v_sorted := ' order by ' || replace(v_keys, '$', v_direction) || ' limit $2';
    foreach v_state in array string_to_array(v_states, null) loop
        v_sql := concat_ws(' union all ', v_sql,
            '(select ' || c_columns || ', t.place, ' || c_minute || ' as minute'
            || ' from data.tasks t where '
            || concat_ws(' and ', 't.user_id = $1', 't.state = ' || v_state, nullif(v_bounds, ''),
                         case when v_state = '3' then v_binned else v_besides end)
            || v_sorted || ')');
    end loop;
    -- No state is left where two terms exclude each other.
    v_sql := coalesce(
        v_sql, 'select ' || c_columns || ', t.place, 0 as minute from data.tasks t where false'
    );
    return 'select $3, ' || c_columns || ' from (select t.*, sum(octet_length(t.title)'
        ' + octet_length(t.notes) + octet_length(array_to_string(t.labels, '''')))'
        ' over (rows between unbounded preceding and 2 preceding) as before'
        ' from (select * from (' || v_sql || ') t' || replace(v_sorted, c_minute, 't.minute')
        || ') t) t where t.before < 1048576 or t.before is null';
end
$$;
