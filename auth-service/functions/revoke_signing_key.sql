-- Removes a key that others may know. If it was the one that signs, the next
-- one signs at once: the one that waits already, or this new one. False if there
-- is no such key.
create or replace function api.revoke_signing_key(
    p_revoked text, p_kid text, p_algorithm text, p_public_key jsonb, p_sealed_private_key bytea,
    p_client jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_signs text;
    v_last bigint;
    v_next bigint;
begin
    if jsonb_typeof(p_client -> 'operator') = 'object' then
        p_client := data.operating(p_client, p_now);
    end if;
    lock table data.signing_keys in share row exclusive mode;
    select kid into v_signs from data.signing_keys
        where activates_at <= p_now order by generation desc limit 1;
    select max(generation) into v_last from data.signing_keys;
    delete from data.signing_keys where kid = p_revoked;
    if not found then
        return false;
    end if;
    if v_signs = p_revoked then
        select min(generation) into v_next from data.signing_keys where activates_at > p_now;
        if v_next is null then
            v_next := v_last + 1;
            insert into data.signing_keys
                (generation, kid, algorithm, public_key, sealed_private_key, activates_at, created_at)
            values (v_next, p_kid, p_algorithm, p_public_key, p_sealed_private_key, p_now, p_now);
        else
            update data.signing_keys set activates_at = p_now where generation = v_next;
        end if;
    end if;
    perform data.audit(
        '00000000-0000-0000-0000-000000000000', 'admin.signing_key.revoked', p_client, null,
        jsonb_build_object('kid', p_revoked), p_now);
    perform data.tell_keys(p_now);
    return true;
end $$;
