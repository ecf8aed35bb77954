-- Notes what the watchers of a replica have taken in. A key that hurries begins
-- to sign if that makes it known to every watcher of every replica seen since
-- p_gone, and somebody watches; true if one did.
create or replace function api.note_trust_replica(
    p_replica uuid, p_watchers bigint, p_acknowledged_rev bigint, p_gone timestamptz, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Of two that note at once the second has to see the first.
    lock table data.trust_replicas in share row exclusive mode;
    insert into data.trust_replicas as r (replica, watchers, acknowledged_rev, seen_at)
    values (p_replica, p_watchers, p_acknowledged_rev, p_now)
    on conflict (replica) do update
    set watchers = excluded.watchers, acknowledged_rev = excluded.acknowledged_rev,
        seen_at = excluded.seen_at;
    delete from data.trust_replicas where seen_at < p_gone;
    update data.signing_keys k set activates_at = p_now
    where k.hurried and k.activates_at > p_now
        and exists (select from data.trust_replicas r where r.watchers > 0)
        and not exists (select from data.trust_replicas r where r.acknowledged_rev < k.rev);
    if not found then
        return false;
    end if;
    perform data.tell_keys(p_now);
    return true;
end $$;
