-- Purges what is kept for a time only, user by user: tombstones after 30 days,
-- request ids after 24 hours. Looks at up to p_limit users after p_after and
-- tells the last of them, null when there are no more, and how much it purged.
create or replace function api.sweep(
    p_now timestamptz, p_after uuid, p_limit bigint,
    out last_user uuid, out tombstones bigint, out requests bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user uuid;
    v_count bigint;
begin
    tombstones := 0;
    requests := 0;
    perform set_config('app.sweep', 'on', true);
    for v_user in
        select s.user_id
        from data.user_state s
        where s.user_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
        order by s.user_id
        limit p_limit
    loop
        perform set_config('app.user_id', v_user::text, true);
        delete from data.tasks t
        where t.user_id = v_user and t.deleted_at <= p_now - interval '30 days';
        get diagnostics v_count = row_count;
        tombstones := tombstones + v_count;

        delete from data.requests r
        where r.user_id = v_user and r.created_at <= p_now - interval '24 hours';
        get diagnostics v_count = row_count;
        requests := requests + v_count;
        last_user := v_user;
    end loop;
    perform set_config('app.sweep', '', true);
end
$$;
