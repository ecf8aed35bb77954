-- Removes what there is of the user p_user, up to p_limit rows of each table;
-- tells how many rows. The catalogue says which tables have users' rows, so that
-- a new one cannot be left out. What accounts for the deletion itself stays.
create or replace function data.forget(p_user uuid, p_limit bigint)
returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_table regclass;
    v_count bigint;
    v_removed bigint := 0;
begin
    perform set_config('app.user_id', p_user::text, true);
    for v_table in
        select c.oid::regclass
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id' and not a.attisdropped
        where c.relnamespace = 'data'::regnamespace and c.relkind = 'r'
            and c.relname not in ('deletions', 'erasures')
        order by c.relname
    loop
        execute format(
            'delete from %1$s where user_id = $1
             and ctid = any (array(select t.ctid from %1$s t where t.user_id = $1 limit $2))', v_table
        ) using p_user, p_limit;
        get diagnostics v_count = row_count;
        v_removed := v_removed + v_count;
    end loop;
    return v_removed;
end $$;
