-- Deleted users of whom rows may be left, in the order of their ids, those after
-- p_after.
create or replace function api.unforgotten_users(p_after uuid, p_limit bigint)
returns table (user_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 10 as $$
begin
    perform set_config('app.sweep', 'on', true);
    return query
        select d.user_id from data.deletions d
        where d.forgotten_at is null and (p_after is null or d.user_id > p_after)
        order by d.user_id
        limit p_limit;
    perform set_config('app.sweep', '', true);
end $$;
