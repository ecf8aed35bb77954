-- What verifiers are told after p_since, in the order of commits, and how far
-- there is something to tell: always a row, whose rev is null if there is nothing.
create or replace function api.trust_events(p_since bigint, p_limit bigint)
returns table (
    head_rev bigint, horizon_rev bigint, rev bigint, kind text, subject_id uuid, session_id uuid,
    not_before timestamptz, created_at timestamptz
) language plpgsql stable security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    return query
        select h.head_rev, h.horizon_rev, e.rev, e.kind, e.subject_id, e.session_id,
            e.not_before, e.created_at
        from data.trust_head h
        left join lateral (
            select t.* from data.trust_events t where t.rev > p_since order by t.rev limit p_limit
        ) e on true
        order by e.rev;
end $$;
