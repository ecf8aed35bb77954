-- Makes a list, the first after the inbox.
-- Outcomes: ok; replayed, with the list as it is now, if it still is;
-- request_id_reused; list_id_taken; list_quota. A refused write leaves nothing
-- behind, so the same request id may be tried again.
create or replace function api.create_list(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_title text, p_archived boolean, p_quota bigint,
    out outcome text, out note text, out head bigint, out list data.lists
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_request is not null then
        select c.outcome, c.task_id into outcome, v_id
        from data.claim_request(p_user, p_now, p_request, p_hash, p_id) c;
        if outcome is not null then
            if outcome = 'replayed' then
                select l.* into list
                from data.lists l
                where l.user_id = p_user and l.id = v_id and l.deleted_at is null;
            end if;
            return;
        end if;
    end if;

    begin
        head := data.take_turn(p_user) + 1;
        perform from data.lists l where l.user_id = p_user and l.id = p_id;
        if found then
            perform data.refuse('list_id_taken', null, null);
        end if;
        update data.user_state s
        set head_rev = head, list_count = s.list_count + 1
        where s.user_id = p_user and s.list_count < p_quota;
        if not found then
            perform data.refuse('list_quota', null, null);
        end if;
    exception when sqlstate 'DU001' then
        get stacked diagnostics outcome = message_text;
        head := null;
        delete from data.requests r where r.user_id = p_user and r.id = p_request;
        return;
    end;

    insert into data.lists (
        user_id, id, title, archived, position, created_at, updated_at, rev
    )
    values (p_user, p_id, p_title, p_archived, 5000000000000000 - head, p_now, p_now, head)
    returning * into list;
    outcome := 'ok';
end
$$;
