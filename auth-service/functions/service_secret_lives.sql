-- Whether this is a secret of the service account with this name.
create or replace function api.service_secret_lives(p_name text, p_hash bytea)
returns boolean language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (
        select from data.service_accounts a
        join data.service_secrets s on s.account_id = a.account_id
        where a.name = p_name and s.hash = p_hash
    );
end $$;
