-- The stored password of the account with this e-mail; no row if there is none.
create or replace function api.password_of(p_email_canonical text)
returns table (user_id uuid, password_hash text, pepper_id text)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_user uuid;
begin
    perform set_config('app.email', p_email_canonical, true);
    select e.user_id into v_user from data.user_emails e where e.email_canonical = p_email_canonical;
    perform set_config('app.user_id', coalesce(v_user::text, ''), true);
    return query
        select u.user_id, u.password_hash, u.pepper_id from data.users u where u.user_id = v_user;
end $$;
