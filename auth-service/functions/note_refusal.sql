-- Has the audit log of p_user take a refused password, at most p_audited a minute
-- for a bucket and for the account, so that nobody can flood it. Without a user
-- only counts it.
create or replace function data.note_refusal(
    p_user uuid, p_kind text, p_bucket bytea, p_audited bigint, p_client jsonb, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update data.throttles t set
        noted = case when t.noted_at <= p_now - interval '1 minute' then 1 else t.noted + 1 end,
        noted_at = case when t.noted_at <= p_now - interval '1 minute' then p_now else t.noted_at end
        where t.bucket = p_bucket
            and (t.noted < p_audited or t.noted_at <= p_now - interval '1 minute');
    if found and p_user is not null then
        perform data.audit_refusal(p_user, p_kind, p_client, null, null, p_audited, p_now);
    end if;
end $$;
