-- A filter as a condition on the alias t of data.tasks, for execute, in
-- parentheses where it needs them. The tree is what src/filter/json.rs makes;
-- null is the filter that asks nothing.
-- What is not in the lists below is refused, and every value is quoted here, so
-- nothing that a caller wrote is read as SQL. A field that is not set makes a
-- comparison null, which is neither it nor its opposite; texts and labels are
-- always set, and may be empty.
create or replace function data.filter_sql(p_filter jsonb) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_field constant text := p_filter ->> 'field';
    v_op constant text := p_filter ->> 'op';
    v_value constant text := quote_literal(p_filter ->> 'value');
    v_sign constant text := case
        when v_op in ('=', '!=', '<', '<=', '>', '>=') then ' ' || v_op || ' '
    end;
    v_join constant text := case
        when p_filter ? 'and' then 'and'
        when p_filter ? 'or' then 'or'
    end;
    v_sql text;
begin
    if p_filter is null or p_filter = 'null' then
        return 'true';
    end if;
    if v_join is not null then
        select '(' || string_agg(data.filter_sql(part), ' ' || v_join || ' ' order by place) || ')'
        into v_sql
        from jsonb_array_elements(p_filter -> v_join) with ordinality parts(part, place);
        return v_sql;
    end if;
    if p_filter ? 'not' then
        return '(not ' || data.filter_sql(p_filter -> 'not') || ')';
    end if;

    v_sql := case
        when v_op = ':*' then case v_field
            when 'priority' then 't.priority > 0'
            when 'due' then 't.due_date is not null'
            when 'labels' then 'cardinality(t.labels) > 0'
            when 'parent_task' then 't.parent_id is not null'
            when 'complete_time' then 't.completed_at is not null'
            when 'delete_time' then 't.deleted_at is not null'
            when 'notes' then 't.notes <> '''''
            when 'recurrence' then 't.rrule is not null'
            when 'status' then 'true'
            when 'list' then 'true'
            when 'create_time' then 'true'
            when 'update_time' then 'true'
            when 'title' then 'true'
        end
        when v_op = ':' then case v_field
            when 'labels' then v_value || ' = any (t.labels)'
            when 'title' then 'strpos(lower(t.title), lower(' || v_value || ')) > 0'
            when 'notes' then 'strpos(lower(t.notes), lower(' || v_value || ')) > 0'
            when 'text' then
                'strpos(lower(t.title), lower(' || v_value || ')) > 0'
                || ' or strpos(lower(t.notes), lower(' || v_value || ')) > 0'
        end
        when v_op in ('=', '!=') and v_field = 'status' then
            case v_op when '!=' then 'not ' else '' end
            || case p_filter ->> 'value'
                when 'OPEN' then 't.completed_at is null'
                when 'DONE' then '(t.completed_at is not null and not t.cancelled)'
                when 'CANCELLED' then 't.cancelled'
            end
        when v_op in ('=', '!=') and v_field in ('list', 'parent_task', 'title', 'notes') then
            case v_field
                when 'list' then 't.list_id' || v_sign || v_value || '::uuid'
                when 'parent_task' then 't.parent_id' || v_sign || v_value || '::uuid'
                when 'title' then 't.title' || v_sign || v_value
                when 'notes' then 't.notes' || v_sign || v_value
            end
        else case v_field
            when 'priority' then 'nullif(t.priority, 0)' || v_sign || v_value || '::bigint'
            when 'due' then 't.due_date' || v_sign || v_value || '::date'
            when 'create_time' then 't.created_at' || v_sign || v_value || '::timestamptz'
            when 'update_time' then 't.updated_at' || v_sign || v_value || '::timestamptz'
            when 'complete_time' then 't.completed_at' || v_sign || v_value || '::timestamptz'
            when 'delete_time' then 't.deleted_at' || v_sign || v_value || '::timestamptz'
        end
    end;
    if v_sql is null then
        raise exception 'no such term of a filter' using errcode = 'invalid_parameter_value';
    end if;
    return '(' || v_sql || ')';
end
$$;
