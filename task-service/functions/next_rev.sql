-- The revision of a change that is about to be made. It holds the user's
-- counter until the change is committed, so revisions have no gaps and are
-- committed in their order. Call it only when nothing can be refused any more.
-- create_task has the same inline.
create or replace function data.next_rev(p_user uuid, out rev bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into data.user_state as s (user_id, head_rev)
    values (p_user, 1)
    on conflict (user_id) do update set head_rev = s.head_rev + 1
    returning s.head_rev into rev;
end
$$;
