-- Under which id things are written for an address that nobody has: no user's,
-- since those are drawn at random.
create or replace function data.stand_in(p_email_canonical text)
returns uuid language sql immutable set search_path = pg_catalog, pg_temp as $$
    select encode(substring(
        sha256(convert_to('stand-in:' || p_email_canonical, 'UTF8')) from 1 for 16), 'hex')::uuid
$$;
