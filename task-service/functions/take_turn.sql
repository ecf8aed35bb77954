-- Makes the user's writes wait for each other from here to the end of the
-- statement, and tells the revision of the last change. DU002 is our own code:
-- the user was erased, and nothing is written for them any more.
create or replace function data.take_turn(p_user uuid, out rev bigint)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_erased_at timestamptz;
begin
    select s.head_rev, s.erased_at into rev, v_erased_at
    from data.user_state s
    where s.user_id = p_user
    for update;
    if not found then
        insert into data.user_state as s (user_id, head_rev)
        values (p_user, 0)
        on conflict (user_id) do update set head_rev = s.head_rev
        returning s.head_rev, s.erased_at into rev, v_erased_at;
    end if;
    if v_erased_at is not null then
        raise exception 'the user was erased' using errcode = 'DU002';
    end if;
end
$$;
