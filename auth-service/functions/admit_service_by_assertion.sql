-- Admits the service account with this name, whose key p_kid signed the
-- assertion p_jti, unless the key is gone or the assertion was used. It is
-- refused too if p_kid is null: nothing about the assertion was good.
create or replace function api.admit_service_by_assertion(
    p_name text, p_kid text, p_jti text, p_expires_at timestamptz, p_client jsonb, p_now timestamptz
) returns table (account_id uuid, name text, scopes text[], issued_at timestamptz, noted boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_account uuid := (select a.account_id from data.service_accounts a where a.name = p_name);
begin
    if exists (
        select from data.service_keys k where k.account_id = v_account and k.kid = p_kid
    ) then
        insert into data.used_assertions (account_id, jti, expires_at)
        values (v_account, p_jti, p_expires_at) on conflict do nothing;
        if found then
            delete from data.used_assertions u where u.expires_at < p_now;
            return query
                select a.account_id, a.name, a.scopes, a.issued_at, a.noted
                from data.admit_service(v_account, p_now) a;
            return;
        end if;
    end if;
    return query
        select null::uuid, null::text, null::text[], null::timestamptz,
            data.refuse_service(v_account, p_client, p_now);
end $$;
