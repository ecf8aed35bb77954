-- Checks up to p_limit chains of the audit log, the last users first, from before
-- p_user on: that each ends with the entry that its head says. Tells how many do,
-- where to go on (null at the end), and the first one that does not, with the
-- entry that is not there. Chains that are being removed are left out.
create or replace function api.verify_audit_heads(p_user uuid, p_limit bigint)
returns table (good bigint, last_user uuid, fault_user uuid, fault_sequence bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.verify', 'on', true);
    return query
        with page as (
            select h.user_id, h.sequence, h.hash from data.audit_heads h
            where h.user_id < coalesce(p_user, 'ffffffff-ffff-ffff-ffff-ffffffffffff') and not exists (
                select from data.deletions d where d.user_id = h.user_id and d.forgotten_at is null
            )
            order by h.user_id desc limit p_limit
        ), checked as (
            select p.user_id, p.sequence, row_number() over (order by p.user_id desc) as n, exists (
                select from data.audit_events e
                where e.user_id = p.user_id and e.sequence = p.sequence and e.hash = p.hash
            ) as holds
            from page p
        ), first_fault as (
            select c.user_id, c.sequence, c.n from checked c where not c.holds order by c.n limit 1
        )
        select coalesce(f.n - 1, (select count(*) from checked)),
            (select c.user_id from checked c order by c.n desc limit 1), f.user_id, f.sequence
        from (select) as always left join first_fault f on true;
end $$;
