-- Where a list goes; a part of update_list. Null if it stays, because nothing
-- else is asked for or because it is there already. p_rev is the revision of
-- the change, which no place was made from yet.
create or replace function data.place_of_list(
    p_user uuid, p_rev bigint, p_list data.lists, p_after uuid, p_before uuid
)
returns numeric
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_low numeric;
    v_high numeric;
begin
    if coalesce(p_after, p_before) is null then
        return null;
    end if;
    if p_after <> '00000000-0000-0000-0000-000000000000' or p_before is not null then
        select case when p_before is null then l.position end,
               case when p_before is not null then l.position end
        into v_low, v_high
        from data.lists l
        where l.user_id = p_user and l.id = coalesce(p_after, p_before) and l.id <> p_list.id
          and l.deleted_at is null;
        if not found then
            perform data.refuse('place_not_found', null, null);
        end if;
    end if;
    if p_before is not null then
        select max(l.position) into v_low
        from data.lists l
        where l.user_id = p_user and l.deleted_at is null and l.position < v_high
          and l.id <> p_list.id;
    else
        select min(l.position) into v_high
        from data.lists l
        where l.user_id = p_user and l.deleted_at is null and l.position > coalesce(v_low, -1)
          and l.id <> p_list.id;
    end if;

    return case
        when p_list.position > coalesce(v_low, -1)
             and p_list.position < coalesce(v_high, 'infinity') then null
        when v_low is null then 5000000000000000 - p_rev
        when v_high is null then trunc(v_low) + 1
        else trim_scale(round(
            (v_low + v_high) * 0.5,
            greatest(0, ceil(-log((v_high - v_low) * 0.25)))::integer
        ))
    end;
end
$$;
