-- What the outbox keeps of a recipient to whom nothing is to be sent any more:
-- nothing if the mail is under nobody's name, which is what is told to somebody
-- whose account is gone.
create or replace function data.recipient_kept(p_user uuid, p_recipient text)
returns text language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when p_user = '00000000-0000-0000-0000-000000000000' then '' else p_recipient end
$$;
