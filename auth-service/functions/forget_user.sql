-- Removes what is left of the deleted user p_user, and was written by calls that
-- ran beside the deletion: up to p_limit rows of each table. Tells how many there
-- were; when there are none and will be none any more, that is noted.
create or replace function api.forget_user(p_user uuid, p_limit bigint, p_now timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_deletion data.deletions;
    v_removed bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    select d.* into v_deletion from data.deletions d where d.user_id = p_user;
    if not found then
        return 0;
    end if;
    v_removed := data.forget_stand_in(v_deletion.stand_in, v_deletion.requested_at, p_limit);
    v_removed := v_removed + data.forget(p_user, p_limit);
    -- No call takes a minute, and none begins after its session is gone.
    if v_removed = 0 and v_deletion.requested_at < p_now - interval '1 minute' then
        update data.deletions d set forgotten_at = p_now, stand_in = null
            where d.user_id = p_user and d.forgotten_at is null;
    end if;
    return v_removed;
end $$;
