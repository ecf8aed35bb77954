-- Notes as p_kind that the password of an attempt was wrong. For an e-mail without
-- an account (p_user is null) it writes to the throttle as well.
create or replace function api.refuse_password(
    p_user uuid, p_kind text, p_bucket bytea, p_audited bigint, p_client jsonb, p_now timestamptz
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    perform data.note_refusal(p_user, p_kind, p_bucket, p_audited, p_client, p_now);
end $$;
