-- The user whose e-mail this is, for whom the statement goes on; null, and it goes
-- on for nobody, if it is nobody's.
create or replace function data.enter_by_email(p_email_canonical text)
returns uuid language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_user uuid;
begin
    perform set_config('app.email', p_email_canonical, true);
    select e.user_id into v_user from data.user_emails e where e.email_canonical = p_email_canonical;
    perform set_config('app.user_id', coalesce(v_user::text, ''), true);
    return v_user;
end $$;
