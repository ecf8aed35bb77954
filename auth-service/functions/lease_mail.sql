-- Leases up to p_limit mails that are due to one sender, until p_until: another
-- one takes them again if nothing was heard of them by then. What brings a token,
-- for which somebody waits, comes first, and of that what is over first.
create or replace function api.lease_mail(p_now timestamptz, p_until timestamptz, p_limit bigint)
returns table (
    user_id uuid, id uuid, kind text, recipient text, display_name text, parameters jsonb,
    attempts bigint, created_at timestamptz, give_up_at timestamptz
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 16 as $$
begin
    perform set_config('app.lease', 'on', true);
    return query
        update data.outbox o set attempts = o.attempts + 1, next_attempt_at = p_until
        from (
            select d.user_id, d.id from data.outbox d
            where d.next_attempt_at <= p_now
            order by d.parameters ? 'token' desc, d.give_up_at, d.next_attempt_at
            limit p_limit
            for update skip locked
        ) due
        where o.user_id = due.user_id and o.id = due.id
        returning o.user_id, o.id, o.kind, o.recipient, o.display_name, o.parameters,
            o.attempts, o.created_at, o.give_up_at;
end $$;
