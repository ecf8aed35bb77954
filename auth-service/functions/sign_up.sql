-- Makes an account with its first session, and has its address verified by
-- p_mail. False if the e-mail is taken.
-- Called again with the same ids, it changes nothing and is true again.
create or replace function api.sign_up(
    p_user uuid, p_email text, p_email_canonical text, p_display_name text,
    p_password_hash text, p_pepper_id text, p_session uuid, p_user_agent text,
    p_client jsonb, p_mail jsonb, p_now timestamptz, p_expires_at timestamptz, p_ends_at timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    insert into data.user_emails (email_canonical, user_id)
    values (p_email_canonical, p_user) on conflict do nothing;
    -- Another user's row is not visible here.
    if not exists (
        select from data.user_emails where email_canonical = p_email_canonical and user_id = p_user
    ) then
        return false;
    end if;
    insert into data.users (user_id, email, display_name, password_hash, pepper_id, created_at, updated_at)
    values (p_user, p_email, p_display_name, p_password_hash, p_pepper_id, p_now, p_now)
    on conflict do nothing;
    insert into data.sessions (user_id, id, rotated_at, user_agent, amr, auth_time, created_at, expires_at, ends_at)
    values (p_user, p_session, p_now, p_user_agent, array['pwd'], p_now, p_now, p_expires_at, p_ends_at)
    on conflict do nothing;
    if found then
        perform data.issue_mail_token(p_user, p_mail, jsonb_build_object('email', p_email), p_now);
        perform data.send_mail(p_user, p_email, p_mail, p_now);
        perform data.audit(p_user, 'sign_up', p_client, p_session, null, p_now);
    end if;
    return true;
end $$;
