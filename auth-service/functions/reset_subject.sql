-- Whose password a token may set; no row if it is good no more.
create or replace function api.reset_subject(p_user uuid, p_hash bytea, p_now timestamptz)
returns table (email text, display_name text)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    return query
        select u.email, u.display_name
        from data.mail_tokens t join data.users u on u.user_id = t.user_id
        where t.user_id = p_user and t.kind = 'reset' and t.hash = p_hash
            and t.used_at is null and t.expires_at > p_now;
end $$;
