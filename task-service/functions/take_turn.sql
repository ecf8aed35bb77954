-- Makes the user's writes wait for each other from here to the end of the
-- statement, and tells the revision of the last change.
create or replace function data.take_turn(p_user uuid, out rev bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    select s.head_rev into rev
    from data.user_state s
    where s.user_id = p_user
    for update;
    if found then
        return;
    end if;
    insert into data.user_state as s (user_id, head_rev)
    values (p_user, 0)
    on conflict (user_id) do update set head_rev = s.head_rev
    returning s.head_rev into rev;
end
$$;
