-- The service accounts, for an operator.
create or replace function api.operators_service_accounts(p_client jsonb, p_now timestamptz)
returns table (
    account_id uuid, name text, scopes text[], created_at timestamptz, last_used_at timestamptz,
    secrets_created_at timestamptz[]
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.operating(p_client, p_now);
    return query
        select l.account_id, l.name, l.scopes, l.created_at, l.last_used_at, l.secrets_created_at
        from api.list_service_accounts(null) l;
end $$;
