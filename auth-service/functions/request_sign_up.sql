-- Where nobody is told who has an account: keeps what was asked for until the
-- address is verified, and mails its reader; whoever has the address already
-- gets p_notice instead. Both write the same rows. Each mail makes the account
-- that was asked for with it, whoever asks for another one.
create or replace function api.request_sign_up(
    p_user uuid, p_email text, p_email_canonical text, p_display_name text,
    p_password_hash text, p_pepper_id text, p_mail jsonb, p_notice jsonb, p_now timestamptz
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_stand_in uuid := data.stand_in(p_email_canonical);
    v_reader uuid;
    v_email text;
    v_mail jsonb := p_notice;
begin
    perform set_config('app.email', p_email_canonical, true);
    select e.user_id into v_reader from data.user_emails e
        where e.email_canonical = p_email_canonical;
    v_reader := coalesce(v_reader, v_stand_in);
    perform set_config('app.user_id', v_reader::text, true);
    select u.email into v_email from data.users u where u.user_id = v_reader;
    if v_email is null then
        v_mail := p_mail;
    end if;
    perform set_config('app.user_id', v_stand_in::text, true);
    if data.issue_mail_token(v_stand_in, p_mail, jsonb_build_object(
        'user', p_user, 'email', p_email, 'email_canonical', p_email_canonical,
        'display_name', p_display_name, 'password_hash', p_password_hash,
        'pepper_id', p_pepper_id
    ), p_now) is null then
        perform data.send_mail(v_reader, coalesce(v_email, p_email), v_mail, p_now);
    end if;
end $$;
