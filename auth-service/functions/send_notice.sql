-- Tells the owner of an account by mail what was done with it, if there is
-- something to tell: only at an address that is known to be theirs. Nobody's doings
-- go to a stranger.
create or replace function data.send_notice(p_user uuid, p_notice jsonb, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_email text;
begin
    select u.email into v_email from data.users u where u.user_id = p_user and u.email_verified;
    if found and jsonb_typeof(p_notice) = 'object' then
        perform data.send_mail(p_user, v_email, p_notice, p_now);
    end if;
end $$;
