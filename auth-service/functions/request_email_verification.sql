-- Has a mail sent that verifies the caller's address, unless it is verified.
-- Tells from when on one can be asked for, if it is too early now.
create or replace function api.request_email_verification(
    p_user uuid, p_session uuid, p_mail jsonb, p_now timestamptz
) returns timestamptz language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_user data.users;
    v_wait interval;
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    select u.* into v_user from data.users u where u.user_id = p_user;
    if v_user.email_verified then
        return null;
    end if;
    v_wait := data.issue_mail_token(
        p_user, p_mail, jsonb_build_object('email', v_user.email), p_now);
    if v_wait is null then
        perform data.send_mail(p_user, v_user.email, p_mail, p_now);
    end if;
    return p_now + v_wait;
end $$;
