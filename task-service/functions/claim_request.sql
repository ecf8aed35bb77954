-- Claims a request id. The outcome is null for the first write with this id
-- within 24 hours, and a racing second one waits here until the first has
-- ended; it is replayed, with the task that the first one made or changed, or
-- request_id_reused, if the first one asked for something else. create_task has
-- the same inline.
create or replace function data.claim_request(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea, p_task uuid,
    out outcome text, out task_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into data.requests as r (user_id, id, payload_hash, task_id, created_at)
    values (p_user, p_request, p_hash, p_task, p_now)
    on conflict on constraint requests_pkey do update
        set payload_hash = excluded.payload_hash,
            task_id = excluded.task_id,
            task_ids = null,
            created_at = excluded.created_at
        where r.created_at <= excluded.created_at - interval '24 hours';
    if found then
        return;
    end if;

    select case when r.payload_hash = p_hash then 'replayed' else 'request_id_reused' end,
           r.task_id
    into outcome, task_id
    from data.requests r
    where r.user_id = p_user and r.id = p_request;
end
$$;
