-- Every service account by name, or the one that is asked for.
create or replace function api.list_service_accounts(p_name text)
returns table (
    account_id uuid, name text, scopes text[], created_at timestamptz, last_used_at timestamptz,
    secrets_created_at timestamptz[]
) language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query
        select a.account_id, a.name, a.scopes, a.created_at, a.last_used_at, array(
            select s.created_at from data.service_secrets s
            where s.account_id = a.account_id order by s.created_at
        )
        from data.service_accounts a
        where p_name is null or a.name = p_name order by a.name;
end $$;
