-- What changed of a user's tasks and lists after the revision p_since: the
-- newest state of each, once, in the order of the revisions; up to p_limit of
-- them and not much more than 1 MiB. Somebody who began with nothing when the
-- head was p_base (null: now) is not told that something was gone by then.
--
-- Every row has the head and the horizon, and the revision up to which all is
-- told with it. If nothing changed there is one row that has only these.
-- Stable, so that all of it is one snapshot.
create or replace function api.changes(
    p_user uuid, p_since bigint, p_base bigint, p_limit bigint, p_filter jsonb
)
returns table (
    head_rev bigint, horizon_rev bigint, reached_rev bigint,
    rev bigint, gone_task uuid, gone_list uuid, task data.tasks, list data.lists
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
rows 200
as $$
declare
    v_head bigint;
    v_horizon bigint;
    v_base bigint;
begin
    perform set_config('app.user_id', p_user::text, true);

    select s.head_rev, s.horizon_rev into v_head, v_horizon
    from data.user_state s
    where s.user_id = p_user;
    v_head := coalesce(v_head, 0);
    v_horizon := coalesce(v_horizon, 0);
    v_base := coalesce(p_base, v_head);

    return query
    select v_head, v_horizon,
           case when p.place = p.places and p.places < p_limit then v_head else p.rev end,
           p.rev, p.gone_task, p.gone_list, p.task, p.list
    from (
        select c.*,
               row_number() over (order by c.rev) as place,
               count(*) over () as places,
               sum(s.size) over (order by c.rev) - s.size as before
        from (
            select t.rev, t.gone as gone_task, null::uuid as gone_list,
                   t.task, null::data.lists as list
            from data.changed_tasks(p_user, p_since, v_base, p_limit, p_filter) t
            union all
            (select l.rev, null, case when l.deleted_at is not null then l.id end,
                    null, case when l.deleted_at is null then l end
             from data.lists l
             where l.user_id = p_user and l.rev > p_since
               and (l.deleted_at is null or l.rev > v_base)
             order by l.rev
             limit p_limit)
            order by rev
            limit p_limit
        ) c
        cross join lateral (
            select coalesce(octet_length((c.task).title) + octet_length((c.task).notes)
                            + octet_length(array_to_string((c.task).labels, ' ')), 0) as size
        ) s
    ) p
    where p.before < 1048576
    order by p.rev;

    if not found then
        return query
        select v_head, v_horizon, v_head, null::bigint, null::uuid, null::uuid,
               null::data.tasks, null::data.lists;
    end if;
end
$$;
