-- Removes deletions that were asked for before p_before, once nobody is waited
-- for. Looks at up to p_limit after p_after; tells the last one, null when there
-- are no more, and how many of those from before p_late wait for a service.
--
-- They are walked by their key, a call its share: none is kept from being looked
-- at by others that wait.
create or replace function api.sweep_deletions(
    p_before timestamptz, p_late timestamptz, p_after uuid, p_limit bigint,
    out last_user uuid, out late bigint
) language plpgsql security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_deletion data.deletions;
begin
    late := 0;
    perform set_config('app.sweep', 'on', true);
    for v_deletion in
        select d.* from data.deletions d
        where d.user_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
        order by d.user_id
        limit p_limit
    loop
        last_user := v_deletion.user_id;
        continue when v_deletion.requested_at >= p_late;
        perform set_config('app.user_id', v_deletion.user_id::text, true);
        if exists (
            select from data.erasures e
            where e.user_id = v_deletion.user_id and e.erased_at is null and e.closed_at is null
        ) then
            late := late + 1;
        elsif v_deletion.requested_at < p_before and v_deletion.forgotten_at is not null then
            delete from data.erasures e where e.user_id = v_deletion.user_id;
            delete from data.deletions d where d.user_id = v_deletion.user_id;
        end if;
    end loop;
    perform set_config('app.sweep', '', true);
end $$;
