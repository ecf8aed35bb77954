-- What happened to the caller's account, newest first, from before p_before on.
-- Of what an operator did it tells neither from where nor why.
create or replace function api.list_activity(
    p_user uuid, p_session uuid, p_before bigint, p_limit bigint, p_now timestamptz
) returns table (
    sequence bigint, kind text, created_at timestamptz, address_prefix text, device_label text,
    session_id uuid, details jsonb
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 50 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select e.sequence, e.kind, e.created_at,
            case when starts_with(e.kind, 'admin.') then '' else e.address_prefix end,
            case when starts_with(e.kind, 'admin.') then '' else e.device_label end,
            e.session_id,
            case when starts_with(e.kind, 'admin.') then '{}' else e.details end
        from data.audit_events e
        where e.user_id = p_user and (p_before is null or e.sequence < p_before)
        order by e.sequence desc
        limit p_limit;
end $$;
