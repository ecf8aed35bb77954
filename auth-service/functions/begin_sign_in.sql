-- Counts a sign-in and finds the stored password of the account with this
-- e-mail, or tells how long the sign-in has to wait, and then nothing else. All
-- of it is the same for an e-mail without an account.
--
-- p_device is a device that p_device_user signed in on at p_device_issued_at. If
-- that is the user of this e-mail and was not taken back, the sign-in is counted
-- there and with all devices of the user (p_devices), and neither with the e-mail
-- (p_account) nor with p_address. Once p_devices are used up they are as unknown
-- ones: however many passes somebody has, they add no more than that.
create or replace function api.begin_sign_in(
    p_email_canonical text, p_account bytea, p_address bytea,
    p_device bytea, p_devices bytea, p_device_user uuid, p_device_issued_at timestamptz,
    p_rules jsonb, p_client jsonb, p_now timestamptz
) returns table (
    retry_after_ms bigint, by_device boolean, user_id uuid, password_hash text, pepper_id text
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_owner uuid;
    v_user data.users;
    v_by_device boolean;
    v_bucket bytea;
    v_wait interval;
begin
    -- If Postgres itself dies, the counts of its last moments may.
    perform set_config('synchronous_commit', 'off', true);
    v_owner := data.enter_by_email(p_email_canonical);
    select u.* into v_user from data.users u where u.user_id = v_owner;

    v_by_device := coalesce(
        p_device is not null and p_device_user = v_user.user_id
            and p_device_issued_at > v_user.devices_since
            and data.throttled_for(array[p_devices], p_now) is null, false);
    v_bucket := case when v_by_device then p_device else p_account end;
    -- Whoever has to wait anyway takes no lock. Addresses come first everywhere.
    v_wait := coalesce(
        data.throttled_for(
            case when v_by_device then array[v_bucket] else array[v_bucket, p_address] end, p_now),
        case when v_by_device then data.count_attempt(p_devices, p_rules -> 'devices', p_now)
            else data.count_attempt(p_address, p_rules -> 'address', p_now) end,
        data.count_attempt(v_bucket, p_rules -> 'account', p_now));
    if v_wait is not null then
        perform data.note_refusal(
            v_user.user_id, 'sign_in.throttled', v_bucket, (p_rules ->> 'audited')::bigint,
            p_client, p_now);
        return query select
            ceil(extract(epoch from v_wait) * 1000)::bigint, v_by_device,
            null::uuid, null::text, null::text;
        return;
    end if;
    return query select
        null::bigint, v_by_device, v_user.user_id, v_user.password_hash, v_user.pepper_id;
end $$;
