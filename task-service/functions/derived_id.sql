-- The id of what follows a task, from the task's own and the day: a UUID of
-- version 8 (RFC 9562). Whoever makes it, and however often, it is the same. Not
-- from the series: an occurrence that was put on another day may be followed by
-- one on the day that it was made for itself.
create or replace function data.derived_id(p_task uuid, p_day date)
returns uuid
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select overlay(
        overlay(
            encode(substr(sha256(convert_to(p_task::text || '/' || p_day::text, 'UTF8')), 1, 16), 'hex')
            placing '8' from 13
        )
        placing '8' from 17
    )::uuid
$$;
