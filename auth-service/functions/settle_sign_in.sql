-- What is due when a password was right and led to something, by
-- p_client -> 'settles': the attempts with the e-mail, or on the device, are
-- forgotten, and this one at its address, or with the user's other devices.
create or replace function data.settle_sign_in(p_client jsonb, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update data.throttles t
        set attempts = greatest(0, t.attempts - 1), free_at = '-infinity'
        where t.bucket = decode(p_client #>> '{settles,shared}', 'hex');
    update data.throttles t set attempts = 0, free_at = '-infinity'
        where t.bucket = decode(p_client #>> '{settles,bucket}', 'hex');
end $$;
