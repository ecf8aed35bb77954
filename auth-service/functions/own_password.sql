-- The caller's stored password.
create or replace function api.own_password(p_user uuid, p_session uuid, p_now timestamptz)
returns table (password_hash text, pepper_id text)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform data.acting_in(p_user, p_session, p_now);
    return query
        select u.password_hash, u.pepper_id from data.users u where u.user_id = p_user;
end $$;
