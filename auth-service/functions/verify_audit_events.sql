-- Checks up to p_limit entries of the audit log, in the order of users and then
-- of sequences, from after (p_user, p_sequence) on, whose hash is p_hash. Tells
-- how many hold, where to go on (null at the end), and what is wrong with the
-- first one that does not:
--   changed   its hash does not follow from it and from the entry before
--   missing   what was before it is not there
--   surplus   it is not counted in the head of its chain
-- Chains of deleted users that are still being removed are left out; tells how
-- many the log says were.
create or replace function api.verify_audit_events(
    p_user uuid, p_sequence bigint, p_hash bytea, p_limit bigint
) returns table (
    good bigint, deleted bigint, last_user uuid, last_sequence bigint, last_hash bytea,
    fault text, fault_user uuid, fault_sequence bigint
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.verify', 'on', true);
    -- One statement, so that entries and heads are of one moment.
    return query
        with page as (
            select e as event, h.sequence as head
            from data.audit_events e left join data.audit_heads h on h.user_id = e.user_id
            where (e.user_id, e.sequence) > (p_user, p_sequence) and not exists (
                select from data.deletions d where d.user_id = e.user_id and d.forgotten_at is null
            )
            order by e.user_id, e.sequence
            limit p_limit
        ), linked as (
            select event, head, row_number() over walk as n,
                lag((event).sequence) over chain as sequence_before,
                lag((event).hash) over chain as hash_before,
                (event).user_id = p_user as goes_on
            from page
            window walk as (order by (event).user_id, (event).sequence),
                chain as (partition by (event).user_id order by (event).sequence)
        ), checked as (
            select event, n, case
                when (event).sequence <> 1 + coalesce(
                    sequence_before, case when goes_on then p_sequence else 0 end) then 'missing'
                when (event).hash <> data.audit_hash(
                    coalesce(hash_before, case when goes_on then p_hash else '' end), event) then 'changed'
                when head is null or (event).sequence > head then 'surplus'
                end as fault
            from linked
        ), first_fault as (
            select c.event, c.n, c.fault from checked c where c.fault is not null order by c.n limit 1
        ), last_event as (
            select c.event from checked c order by c.n desc limit 1
        )
        select coalesce(f.n - 1, (select count(*) from checked)),
            (select count(*) from checked c
                where (c.event).user_id = '00000000-0000-0000-0000-000000000000'
                    and (c.event).kind = 'user.deleted'),
            (l.event).user_id, (l.event).sequence, (l.event).hash,
            f.fault, (f.event).user_id, (f.event).sequence
        from (select) as always left join first_fault f on true left join last_event l on true;
end $$;
