-- The destinations with the places that the tasks get there, as JSON; a part of
-- move_tasks.
create or replace function data.places(p_user uuid, p_rev bigint, p_ops jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_op bigint;
    v_places jsonb;
    v_moving constant uuid[] := array(
        select o.id from jsonb_to_recordset(p_ops) as o (id uuid)
    );
begin
    select d.op into v_op
    from data.destinations(p_user, p_ops) d
    left join data.tasks x
        on x.user_id = p_user and x.id = coalesce(d.after, d.before) and x.deleted_at is null
        and x.list_id = d.list_id and x.parent_id is not distinct from d.parent_id
    where coalesce(d.after, d.before) is not null and x.id is null
    order by d.op
    limit 1;
    if found then
        perform data.refuse('place_not_found', v_op, null);
    end if;

    with gaps as (
        select d.*,
               case
                   when d.after is not null then x.position
                   when d.before is not null then (
                       select n.position from data.tasks n
                       where n.user_id = p_user and n.list_id = d.list_id and n.deleted_at is null
                         and n.place <= x.place and n.position < x.position
                         and n.id <> all (v_moving)
                       order by n.place desc, n.position desc
                       limit 1
                   )
               end as low,
               case
                   when d.before is not null then x.position
                   when d.after is not null then (
                       select n.position from data.tasks n
                       where n.user_id = p_user and n.list_id = d.list_id and n.deleted_at is null
                         and n.place >= x.place and n.position > x.position
                         and n.id <> all (v_moving)
                       order by n.place, n.position
                       limit 1
                   )
               end as high
        from data.destinations(p_user, p_ops) d
        left join data.tasks x on x.user_id = p_user and x.id = coalesce(d.after, d.before)
    ),
    -- One after the other, the last to come is nearest to its neighbour.
    ranked as (
        select g.*,
               count(*) over gap as total,
               row_number() over (
                   gap order by g.after is null, case when g.after is null then g.op else -g.op end
                   rows between unbounded preceding and unbounded following
               ) as rank,
               row_number() over (order by g.op) as turn
        from gaps g
        window gap as (partition by g.list_id, g.low, g.high)
    )
    select jsonb_agg(jsonb_build_object(
        'op', r.op, 'id', r.id, 'list_id', r.list_id, 'parent_id', r.parent_id,
        'position', case
            when r.low is null and r.high is null then 5000000000000000 - (p_rev + r.turn)
            when r.low is null then 5000000000000000 - (p_rev + r.total - r.rank + 1)
            when r.high is null then trunc(r.low) + r.rank
            else trim_scale(round(
                r.low + (r.high - r.low) * r.rank / (r.total + 1),
                greatest(0, ceil(-log((r.high - r.low) / (r.total + 1) / 2)))::integer
            ))
        end
    ))
    into v_places
    from ranked r;
    return v_places;
end
$$;
