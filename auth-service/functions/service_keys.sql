-- The public keys of the service account with this name; none if there is no
-- such account.
create or replace function api.service_keys(p_name text)
returns table (account_id uuid, public_key jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp rows 2 as $$
begin
    return query
        select k.account_id, k.public_key
        from data.service_accounts a join data.service_keys k on k.account_id = a.account_id
        where a.name = p_name order by k.created_at desc, k.kid;
end $$;
