-- Admits the service account with this name if the secret is one of its own.
-- Else there is no account in the row, and `noted` says whether the audit log
-- has the refusal.
create or replace function api.admit_service_by_secret(
    p_name text, p_hash bytea, p_client jsonb, p_now timestamptz
) returns table (account_id uuid, name text, scopes text[], issued_at timestamptz, noted boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_account uuid := (select a.account_id from data.service_accounts a where a.name = p_name);
begin
    if exists (
        select from data.service_secrets s where s.account_id = v_account and s.hash = p_hash
    ) then
        return query
            select a.account_id, a.name, a.scopes, a.issued_at, a.noted
            from data.admit_service(v_account, p_now) a;
    else
        return query
            select null::uuid, null::text, null::text[], null::timestamptz,
                data.refuse_service(v_account, p_client, p_now);
    end if;
end $$;
