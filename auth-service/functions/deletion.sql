-- How far a deletion of the last year has come, by the secret of its receipt: a
-- row for each service, or one without a service. No row if there is none.
create or replace function api.deletion(p_user uuid, p_receipt_hash bytea, p_now timestamptz)
returns table (
    requested_at timestamptz, service text, erased_at timestamptz, closed_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    return query
        select d.requested_at, e.service, e.erased_at, e.closed_at
        from data.deletions d
        left join data.erasures e on e.user_id = p_user
        where d.user_id = p_user and d.receipt_hash = p_receipt_hash
            and d.requested_at > p_now - interval '1 year'
        order by e.service;
end $$;
