-- Replaces the caller's recovery codes. False without another factor, which they
-- go with.
create or replace function api.make_recovery_codes(
    p_user uuid, p_session uuid, p_set uuid, p_sealed bytea, p_hashes bytea[],
    p_client jsonb, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    if not data.has_factor(p_user) then
        return false;
    end if;
    perform data.put_recovery_codes(p_user, p_set, p_sealed, p_hashes, p_client, p_session, p_now);
    perform data.send_notice(p_user, p_client -> 'notice', p_now);
    return true;
end $$;
