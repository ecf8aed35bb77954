-- The list that a write is about, or a refusal: list_not_found, or
-- etag_mismatch with the revision that it has.
create or replace function data.live_list(p_user uuid, p_id uuid, p_etag bigint)
returns data.lists
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_list data.lists;
begin
    select l.* into v_list
    from data.lists l
    where l.user_id = p_user and l.id = p_id and l.deleted_at is null;
    if not found then
        perform data.refuse('list_not_found', null, null);
    elsif v_list.rev <> p_etag then
        perform data.refuse('etag_mismatch', null, v_list.rev::text);
    end if;
    return v_list;
end
$$;
