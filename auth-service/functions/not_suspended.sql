-- Makes sure that the account of the user of this statement is open. DU002 is
-- our own code: suspended.
create or replace function data.not_suspended(p_user uuid)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from data.users where user_id = p_user and suspended_at is not null) then
        raise exception 'the account is suspended' using errcode = 'DU002';
    end if;
end $$;
