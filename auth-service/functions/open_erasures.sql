-- What services have not confirmed and is not closed, by user and then by service,
-- from after (p_after_user, p_after_service) on, for whoever may call this
-- service's database.
create or replace function api.open_erasures(p_after_user uuid, p_after_service text, p_limit bigint)
returns table (user_id uuid, service text, requested_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 100 as $$
begin
    perform set_config('app.erasures', 'on', true);
    perform set_config('app.sweep', 'on', true);
    return query
        select e.user_id, e.service, d.requested_at
        from data.erasures e join data.deletions d on d.user_id = e.user_id
        where e.erased_at is null and e.closed_at is null
            and (e.user_id, e.service) > (
                coalesce(p_after_user, '00000000-0000-0000-0000-000000000000'),
                coalesce(p_after_service, '')
            )
        order by e.user_id, e.service
        limit p_limit;
    perform set_config('app.erasures', '', true);
    perform set_config('app.sweep', '', true);
end $$;
