-- Makes p_user the user of this statement, if the session lives. Every function
-- for a signed-in user begins with it, or, if it changes the account, with
-- data.acting_alone_in. DU001 is our own code: session over.
create or replace function data.acting_in(p_user uuid, p_session uuid, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    if not exists (
        select from data.sessions
        where user_id = p_user and id = p_session and ended_at is null and expires_at > p_now
    ) then
        raise exception 'the session is over' using errcode = 'DU001';
    end if;
end $$;
