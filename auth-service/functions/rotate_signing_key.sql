-- Makes the next key sign as soon as every watcher knows it, at p_activates_at
-- at the latest: the one that waits already, or this new one. Tells which.
create or replace function api.rotate_signing_key(
    p_kid text, p_algorithm text, p_public_key jsonb, p_sealed_private_key bytea,
    p_activates_at timestamptz, p_client jsonb, p_now timestamptz
) returns table (kid text, activates_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_key data.signing_keys;
begin
    if jsonb_typeof(p_client -> 'operator') = 'object' then
        p_client := data.operating(p_client, p_now);
    end if;
    -- One at a time; whoever reads them does not wait.
    lock table data.signing_keys in share row exclusive mode;
    select k.* into v_key from data.signing_keys k
        where k.activates_at > p_now order by k.generation limit 1;
    if found and v_key.hurried then
        return query select v_key.kid, v_key.activates_at;
        return;
    end if;
    if found then
        update data.signing_keys k
            set hurried = true, activates_at = least(k.activates_at, p_activates_at)
            where k.generation = v_key.generation
            returning k.* into v_key;
    else
        insert into data.signing_keys as k
            (generation, kid, algorithm, public_key, sealed_private_key, activates_at, hurried, created_at)
        select coalesce(max(o.generation), 0) + 1, p_kid, p_algorithm, p_public_key,
            p_sealed_private_key, p_activates_at, true, p_now
        from data.signing_keys o
        returning k.* into v_key;
    end if;
    perform data.audit(
        '00000000-0000-0000-0000-000000000000', 'admin.signing_key.rotated', p_client, null,
        jsonb_build_object('kid', v_key.kid), p_now);
    -- Watchers who know it already know it since its own event.
    update data.signing_keys k
        set rev = case when v_key.rev = 0 then told.rev else v_key.rev end
        from data.tell_keys(p_now) told (rev)
        where k.generation = v_key.generation;
    return query select v_key.kid, v_key.activates_at;
end $$;
