-- Notes that a service account gets a token, and tells what the account may do
-- and when the token is issued: never before what was withdrawn from it.
create or replace function data.admit_service(p_account uuid, p_now timestamptz)
returns table (account_id uuid, name text, scopes text[], issued_at timestamptz, noted boolean)
language plpgsql set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    return query
        update data.service_accounts a set last_used_at = p_now
        where a.account_id = p_account
        returning a.account_id, a.name, a.scopes, greatest(p_now, a.tokens_not_before), false;
end $$;
