-- Has a mail sent with which the password can be set anew. Where nobody has the
-- address, the same rows are written for a stand-in, and its mail is never sent.
create or replace function api.request_password_reset(
    p_email_canonical text, p_mail jsonb, p_now timestamptz
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_user uuid;
    v_email text;
    v_mail jsonb := p_mail;
begin
    perform set_config('app.email', p_email_canonical, true);
    select e.user_id into v_user from data.user_emails e where e.email_canonical = p_email_canonical;
    v_user := coalesce(v_user, data.stand_in(p_email_canonical));
    perform set_config('app.user_id', v_user::text, true);
    select u.email into v_email from data.users u where u.user_id = v_user;
    if v_email is null then
        v_mail := jsonb_set(p_mail, '{kind}', '"none"');
    end if;
    if data.issue_mail_token(v_user, p_mail, '{}', p_now) then
        perform data.send_mail(v_user, coalesce(v_email, p_email_canonical), v_mail, p_now);
    end if;
end $$;
