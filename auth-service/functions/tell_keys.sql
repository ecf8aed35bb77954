-- Tells verifiers that the keys have changed; tells the number of that event.
create or replace function data.tell_keys(p_now timestamptz)
returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_rev bigint;
begin
    perform data.tell_verifiers(
        'keys', array['00000000-0000-0000-0000-000000000000'::uuid], array[null::uuid], p_now, p_now);
    -- The row is ours since then.
    select head_rev into v_rev from data.trust_head;
    return v_rev;
end $$;
