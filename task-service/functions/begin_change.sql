-- What every change of a task begins with: claims the request id, locks the
-- task, checks its etag. The outcome is null, and the task there, if the change
-- may be made; else the change has ended with
-- replayed, with the task as it is now, if it still is;
-- etag_mismatch, with the task as it is now; request_id_reused; not_found.
create or replace function data.begin_change(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint,
    out outcome text, out task data.tasks
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_request is not null then
        outcome := (data.claim_request(p_user, p_now, p_request, p_hash, p_id)).outcome;
        if outcome = 'request_id_reused' then
            return;
        end if;
    end if;

    select t.* into task
    from data.tasks t
    where t.user_id = p_user and t.id = p_id and t.deleted_at is null
    for update;
    if outcome is not null then
        return;
    end if;

    if task.id is null then
        outcome := 'not_found';
    elsif task.rev <> p_etag then
        outcome := 'etag_mismatch';
    end if;
    if outcome is not null and p_request is not null then
        -- It was refused, so the same id may be tried again.
        delete from data.requests r where r.user_id = p_user and r.id = p_request;
    end if;
end
$$;
