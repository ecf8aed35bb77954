-- Deletes a list. p_force puts its tasks into the bin with it: their
-- deleted_with is the revision of the list's deletion. A tombstone stays,
-- without the title.
-- Outcomes: ok; replayed; request_id_reused; list_not_found; etag_mismatch,
-- with the revision as note; list_not_empty. A refused write leaves nothing
-- behind.
create or replace function api.delete_list(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint, p_force boolean,
    out outcome text, out note text, out head bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rev bigint;
    v_count bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    if p_request is not null then
        outcome := (data.claim_request(p_user, p_now, p_request, p_hash, p_id)).outcome;
        if outcome is not null then
            return;
        end if;
    end if;
    v_rev := data.take_turn(p_user) + 1;
    perform data.live_list(p_user, p_id, p_etag);
    perform from data.tasks t
    where t.user_id = p_user and t.list_id = p_id and t.deleted_at is null
    limit 1;
    if found and not p_force then
        perform data.refuse('list_not_empty', null, null);
    end if;

    update data.lists l
    set title = '', deleted_at = p_now, updated_at = p_now, rev = v_rev
    where l.user_id = p_user and l.id = p_id;
    update data.tasks t
    set deleted_at = p_now, deleted_with = v_rev, updated_at = p_now, rev = n.new_rev
    from (
        select x.id, v_rev + row_number() over (order by x.position, x.id) as new_rev
        from data.tasks x
        where x.user_id = p_user and x.list_id = p_id and x.deleted_at is null
    ) n
    where t.user_id = p_user and t.id = n.id;
    get diagnostics v_count = row_count;

    head := v_rev + v_count;
    update data.user_state s
    set head_rev = head, list_count = s.list_count - 1, task_count = s.task_count - v_count
    where s.user_id = p_user;
    outcome := 'ok';
exception when sqlstate 'DU001' then
    get stacked diagnostics outcome = message_text, note = pg_exception_hint;
    head := null;
end
$$;
