-- Removes up to p_limit of the oldest events, as far as they were made before
-- p_before, and notes up to where.
create or replace function api.sweep_trust_events(p_before timestamptz, p_limit bigint)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    with old as (
        select o.rev from data.trust_events o
        where o.rev < coalesce(
            (select min(k.rev) from data.trust_events k where k.created_at >= p_before),
            9223372036854775807)
        order by o.rev
        limit p_limit
    ), swept as (
        delete from data.trust_events e using old where e.rev = old.rev returning e.rev
    ), counted as (
        select count(*) as events, max(swept.rev) as last from swept
    ), noted as (
        update data.trust_head h set horizon_rev = greatest(h.horizon_rev, counted.last)
        from counted where counted.events > 0
    )
    select counted.events into v_count from counted;
    return v_count;
end $$;
