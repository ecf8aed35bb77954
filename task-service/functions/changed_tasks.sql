-- The part of api.changes that is about tasks.
create or replace function data.changed_tasks(
    p_user uuid, p_since bigint, p_base bigint, p_limit bigint, p_filter jsonb
)
returns table (rev bigint, gone uuid, task data.tasks)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
rows 200
as $$
begin
    if p_filter is null then
        return query
        select t.rev,
               case when t.deleted_at is not null then t.id end,
               case when t.deleted_at is null then t end
        from data.tasks t
        where t.user_id = p_user and t.rev > p_since
          and (t.deleted_at is null or t.rev > p_base)
        order by t.rev
        limit p_limit;
    else
        return query execute format($query$
            select c.rev,
                   case when not c.fits then (c.task).id end,
                   case when c.fits then c.task end
            from (
                select t.rev, t as task, t.deleted_at is null and (%1$s) is true as fits
                from data.tasks t
                where t.user_id = $1 and t.rev > $2
                  and (t.rev > $3 or t.deleted_at is null and (%1$s) is true)
                order by t.rev
                limit $4
            ) c
            order by c.rev
        $query$, data.filter_sql(p_filter))
        using p_user, p_since, p_base, p_limit;
    end if;
end
$$;
