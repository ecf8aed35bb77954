-- Ends a batch: whatever it did until then is undone, and mutate_tasks answers
-- with this outcome, the place of the operation and a note.
create or replace function data.refuse(p_outcome text, p_op bigint, p_note text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'DU001',
        message = p_outcome,
        detail = coalesce(p_op::text, ''),
        hint = coalesce(p_note, '');
end
$$;
