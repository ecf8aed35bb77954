-- Gives the user of this statement a new set of recovery codes instead of the one
-- before. p_sealed is the key that p_hashes were made with.
create or replace function data.put_recovery_codes(
    p_user uuid, p_set uuid, p_sealed bytea, p_hashes bytea[],
    p_client jsonb, p_session uuid, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform data.drop_recovery_codes(p_user);
    insert into data.factors (user_id, id, kind, display_name, sealed_secret, created_at, confirmed_at)
        values (p_user, p_set, 'recovery_codes', '', p_sealed, p_now, p_now);
    insert into data.recovery_codes (user_id, set_id, hash)
        select p_user, p_set, made.hash from unnest(p_hashes) as made (hash);
    perform data.audit(p_user, 'recovery_codes.made', p_client, p_session, null, p_now);
end $$;
