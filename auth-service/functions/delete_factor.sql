-- Removes an authenticator or a passkey of the caller, confirmed or not; the
-- recovery codes go with the last one. Outcomes: deleted, missing, bound (the
-- recovery codes, which cannot go alone).
create or replace function api.delete_factor(
    p_user uuid, p_session uuid, p_factor uuid, p_client jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_factor data.factors;
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    select f.* into v_factor from data.factors f where f.user_id = p_user and f.id = p_factor;
    if not found then
        return 'missing';
    elsif v_factor.kind = 'recovery_codes' then
        return 'bound';
    end if;
    delete from data.factors f where f.user_id = p_user and f.id = p_factor;
    if v_factor.kind = 'passkey' then
        update data.users u set passkeys_from = p_now where u.user_id = p_user;
    end if;
    if v_factor.confirmed_at is not null then
        if not data.has_factor(p_user) then
            perform data.drop_recovery_codes(p_user);
        end if;
        perform data.audit(p_user, 'factor.removed', p_client, p_session,
            jsonb_build_object('kind', v_factor.kind), p_now);
        perform data.send_notice(p_user, p_client -> 'notice', p_now);
    end if;
    return 'deleted';
end $$;
