-- The audit log of p_user, or of the service itself where it is nil, for an
-- operator: newest first, from before p_before on.
create or replace function api.list_audit_events(
    p_user uuid, p_before bigint, p_limit bigint, p_client jsonb, p_now timestamptz
) returns table (
    sequence bigint, kind text, actor text, address_prefix text, device_label text,
    details jsonb, created_at timestamptz, hash bytea
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 50 as $$
begin
    perform data.operating(p_client, p_now);
    perform set_config('app.user_id', p_user::text, true);
    return query
        select e.sequence, e.kind, e.actor, e.address_prefix, e.device_label, e.details,
            e.created_at, e.hash
        from data.audit_events e
        where e.user_id = p_user and e.sequence < coalesce(p_before, 9223372036854775807)
        order by e.sequence desc
        limit p_limit;
end $$;
