-- The users of whom the service account p_service has not confirmed yet that it
-- erased everything; those after p_after, in the order of their ids.
create or replace function api.pending_erasures(p_service uuid, p_after uuid, p_limit bigint)
returns table (user_id uuid)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp rows 10 as $$
begin
    perform set_config('app.erasures', 'on', true);
    return query
        select e.user_id
        from data.erasures e
        where e.erased_at is null and (p_after is null or e.user_id > p_after) and e.service = (
            select a.name from data.service_accounts a where a.account_id = p_service
        )
        order by e.user_id
        limit p_limit;
    perform set_config('app.erasures', '', true);
end $$;
