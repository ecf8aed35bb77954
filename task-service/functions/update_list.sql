-- Writes what is not null: title, archived, and the place, right after the list
-- p_after (the nil UUID is the inbox: first) or right before p_before. A list
-- that is there already, with nothing else to write, does not change.
--
-- Between two others a list gets the place in their middle with the fewest
-- decimals; if that takes more than 20, all lists are numbered anew.
-- Outcomes: ok; replayed, with the list as it is now, if it still is;
-- request_id_reused; list_not_found; etag_mismatch, with the revision as note;
-- place_not_found. A refused write leaves nothing behind.
create or replace function api.update_list(
    p_user uuid, p_now timestamptz, p_request uuid, p_hash bytea,
    p_id uuid, p_etag bigint, p_title text, p_archived boolean, p_after uuid, p_before uuid,
    out outcome text, out note text, out head bigint, out list data.lists
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_place numeric;
    v_anew boolean := false;
    v_count bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    begin
        if p_request is not null then
            outcome := (data.claim_request(p_user, p_now, p_request, p_hash, p_id)).outcome;
        end if;
        if outcome is null then
            head := data.take_turn(p_user);
            list := data.live_list(p_user, p_id, p_etag);
            v_place := data.place_of_list(p_user, head + 1, list, p_after, p_before);
            v_anew := coalesce(scale(v_place) > 20, false);

            update data.lists l
            set title = case when l.id = p_id then coalesce(p_title, l.title) else l.title end,
                archived = case
                    when l.id = p_id then coalesce(p_archived, l.archived) else l.archived
                end,
                position = case
                    when v_anew then 5000000000000000 + n.new_rev
                    else coalesce(v_place, l.position)
                end,
                updated_at = p_now,
                rev = n.new_rev
            from (
                select x.id,
                       head + row_number() over (
                           order by case when x.id = p_id then v_place else x.position end
                       ) as new_rev
                from data.lists x
                where x.user_id = p_user and x.deleted_at is null and (x.id = p_id or v_anew)
            ) n
            where l.user_id = p_user and l.id = n.id
              and coalesce(p_title, p_archived::text, v_place::text) is not null;
            get diagnostics v_count = row_count;
            if v_count > 0 then
                head := head + v_count;
                update data.user_state s set head_rev = head where s.user_id = p_user;
            end if;
            outcome := 'ok';
        end if;
    exception when sqlstate 'DU001' then
        get stacked diagnostics outcome = message_text, note = pg_exception_hint;
        head := null;
        list := null;
        return;
    end;

    if outcome <> 'request_id_reused' then
        select l.* into list
        from data.lists l
        where l.user_id = p_user and l.id = p_id and l.deleted_at is null;
    end if;
end
$$;
