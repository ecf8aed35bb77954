-- The destinations with the places that the tasks get there, beside others, in
-- the JSON of move_tasks, of which this is a part.
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
    with gaps as (
        select d.*,
               x.id as neighbour,
               case
                   when d.after then x.position
                   else (
                       select n.position from data.tasks n
                       where n.user_id = p_user and n.list_id = d.list_id and n.deleted_at is null
                         and n.place <= x.place and n.position < x.position
                         and n.id <> all (v_moving)
                       order by n.place desc, n.position desc
                       limit 1
                   )
               end as low,
               case
                   when not d.after then x.position
                   else (
                       select n.position from data.tasks n
                       where n.user_id = p_user and n.list_id = d.list_id and n.deleted_at is null
                         and n.place >= x.place and n.position > x.position
                         and n.id <> all (v_moving)
                       order by n.place, n.position
                       limit 1
                   )
               end as high
        from jsonb_to_recordset(p_ops) as d (
            op bigint, id uuid, list_id uuid, parent_id uuid, beside uuid, after boolean,
            elsewhere boolean
        )
        left join data.tasks x
            on x.user_id = p_user and x.id = d.beside and x.deleted_at is null
            and x.list_id = d.list_id and x.parent_id is not distinct from d.parent_id
        where d.op between 0 and 499
    ),
    -- One after the other, the last to come is nearest to its neighbour.
    ranked as (
        select g.*,
               count(*) over gap as total,
               row_number() over (
                   gap order by not g.after, case when g.after then -g.op else g.op end
                   rows between unbounded preceding and unbounded following
               ) as rank
        from gaps g
        window gap as (partition by g.list_id, g.low, g.high)
    )
    select min(r.op) filter (where r.neighbour is null), jsonb_agg(jsonb_build_object(
        'op', r.op, 'id', r.id, 'list_id', r.list_id, 'parent_id', r.parent_id,
        'elsewhere', r.elsewhere,
        'position', case
            when r.low is null then 5000000000000000 - (p_rev + r.total - r.rank + 1)
            when r.high is null then trunc(r.low) + r.rank
            else trim_scale(round(
                r.low + (r.high - r.low) * r.rank / (r.total + 1),
                greatest(0, ceil(-log((r.high - r.low) / (r.total + 1) / 2)))::integer
            ))
        end
    ) order by r.op)
    into v_op, v_places
    from ranked r;
    if v_op is not null then
        perform data.refuse('place_not_found', v_op, null);
    end if;
    return v_places;
end
$$;
