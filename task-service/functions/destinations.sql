-- Where tasks are to move, and what forbids it; a part of move_tasks.
create or replace function data.destinations(p_user uuid, p_ops jsonb)
returns table (
    op bigint, id uuid, list_id uuid, parent_id uuid, after uuid, before uuid, fault text
)
language plpgsql
rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with asked as (
        select o.*,
               t.list_id as old_list,
               p.list_id as parents_list,
               coalesce(p.list_id, o.list, t.list_id) as new_list,
               case
                   when o.parent is not null then o.parent
                   when o.top or o.list <> t.list_id then null
                   else t.parent_id
               end as new_parent
        from jsonb_to_recordset(p_ops) as o (
            op bigint, id uuid, list uuid, parent uuid, top boolean, after uuid, before uuid
        )
        join data.tasks t on t.user_id = p_user and t.id = o.id
        left join data.tasks p
            on p.user_id = p_user and p.id = o.parent and p.deleted_at is null
    )
    select a.op, a.id, a.new_list, a.new_parent, a.after, a.before,
           case
               when a.parent is not null and a.parents_list is null then 'parent_not_found'
               when a.parents_list <> a.list then 'list_mismatch'
               when a.list <> '00000000-0000-0000-0000-000000000000' and not exists (
                   select from data.lists l
                   where l.user_id = p_user and l.id = a.list and l.deleted_at is null
               ) then 'list_not_found'
               when a.parent is not null then data.misfit(p_user, a.id, a.parent)
               when coalesce(a.after, a.before) is null then null
               when coalesce(a.after, a.before) = a.id then 'place_not_found'
               else null
           end
    from asked a;
end
$$;
