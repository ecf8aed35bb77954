-- Refuses operations on tasks that are not there, or not as their etag says.
create or replace function data.check_targets(p_user uuid, p_ops jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_rev bigint;
    v_there boolean;
begin
    select o.op, t.rev, t.id is not null and t.deleted_at is null
    into v_op, v_rev, v_there
    from jsonb_to_recordset(p_ops) as o (op bigint, id uuid, etag bigint)
    left join data.tasks t on t.user_id = p_user and t.id = o.id
    where t.id is null or t.deleted_at is not null or t.rev <> o.etag
    order by o.op
    limit 1;
    if not found then
        return;
    end if;
    perform data.refuse(
        case when v_there then 'etag_mismatch' else 'task_not_found' end, v_op, v_rev::text
    );
end
$$;
