-- Makes a service account, or gives the one with this name these scopes, and a
-- further secret or key if there is one: of three the oldest is removed. Tokens
-- that allow what the account may do no more are refused from then on.
create or replace function api.put_service_account(
    p_account uuid, p_name text, p_scopes text[], p_secret_hash bytea, p_kid text,
    p_public_key jsonb, p_client jsonb, p_now timestamptz
) returns table (
    account_id uuid, name text, scopes text[], created_at timestamptz, last_used_at timestamptz,
    secrets_created_at timestamptz[]
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_before data.service_accounts;
    v_made boolean;
    v_proof boolean := false;
    -- A whole second, and not the next one: the clocks of replicas differ.
    v_not_before timestamptz := date_trunc('second', p_now) + interval '3 seconds';
begin
    if jsonb_typeof(p_client -> 'operator') = 'object' then
        p_client := data.operating(p_client, p_now);
    end if;
    insert into data.service_accounts as a (account_id, name, scopes, created_at)
    values (p_account, p_name, p_scopes, p_now) on conflict do nothing;
    v_made := found;
    select a.* into strict v_before from data.service_accounts a where a.name = p_name for update;
    update data.service_accounts a set scopes = p_scopes, tokens_not_before =
            case when p_scopes @> v_before.scopes then a.tokens_not_before else v_not_before end
        where a.account_id = v_before.account_id and a.scopes <> p_scopes;
    if p_secret_hash is not null then
        insert into data.service_secrets (account_id, hash, created_at)
        values (v_before.account_id, p_secret_hash, p_now) on conflict do nothing;
        v_proof := found;
        delete from data.service_secrets s where s.account_id = v_before.account_id and s.hash not in (
            select k.hash from data.service_secrets k where k.account_id = v_before.account_id
            order by k.hash = p_secret_hash desc, k.created_at desc, k.hash limit 2
        );
    end if;
    if p_kid is not null then
        insert into data.service_keys (account_id, kid, public_key, created_at)
        values (v_before.account_id, p_kid, p_public_key, p_now) on conflict do nothing;
        v_proof := v_proof or found;
        delete from data.service_keys s where s.account_id = v_before.account_id and s.kid not in (
            select k.kid from data.service_keys k where k.account_id = v_before.account_id
            order by k.kid = p_kid desc, k.created_at desc, k.kid limit 2
        );
    end if;
    if v_made or v_proof or v_before.scopes <> p_scopes then
        perform data.audit(
            '00000000-0000-0000-0000-000000000000',
            case when v_made then 'service_account.created' else 'service_account.changed' end,
            p_client, null, jsonb_build_object(
                'service_account', p_name, 'scopes', p_scopes, 'secret', p_secret_hash is not null,
                'kid', p_kid
            ), p_now);
    end if;
    return query
        select l.account_id, l.name, l.scopes, l.created_at, l.last_used_at, l.secrets_created_at
        from api.list_service_accounts(p_name) l;
    if not p_scopes @> v_before.scopes then
        perform data.tell_verifiers(
            'service', array[v_before.account_id], array[null::uuid], v_not_before, p_now);
    end if;
end $$;
