-- Removes what was written for deleted users by calls that ran beside the
-- deletion, and deletions that were asked for before p_before once all services
-- have confirmed. Looks at up to p_limit of each kind; tells how many are left
-- that it looks at again.
create or replace function api.sweep_deletions(p_now timestamptz, p_before timestamptz, p_limit bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    -- No call takes longer, and none begins after its session is gone.
    v_quiet constant timestamptz := p_now - interval '1 minute';
    v_user uuid;
    v_requested_at timestamptz;
    v_left bigint := 0;
begin
    perform set_config('app.sweep', 'on', true);
    for v_user, v_requested_at in
        select d.user_id, d.requested_at from data.deletions d
        where d.forgotten_at is null limit p_limit
    loop
        if data.forget(v_user, 1000) = 0 and v_requested_at < v_quiet then
            update data.deletions d set forgotten_at = p_now where d.user_id = v_user;
        else
            v_left := v_left + 1;
        end if;
    end loop;
    for v_user in
        select d.user_id from data.deletions d
        where d.requested_at < p_before and d.forgotten_at is not null limit p_limit
    loop
        perform set_config('app.user_id', v_user::text, true);
        if not exists (
            select from data.erasures e where e.user_id = v_user and e.erased_at is null
        ) then
            delete from data.erasures e where e.user_id = v_user;
            delete from data.deletions d where d.user_id = v_user;
        end if;
    end loop;
    perform set_config('app.sweep', '', true);
    return v_left;
end $$;
