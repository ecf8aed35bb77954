-- Asks both addresses whether the account shall have another one. Whether that
-- one has an account is judged when both have agreed. What was asked for before is
-- void. Outcomes:
--   asked     both have a mail
--   same      it is the address of the account
--   too_soon  until retry_at
create or replace function api.request_email_change(
    p_user uuid, p_session uuid, p_email text, p_email_canonical text,
    p_mail_to_old jsonb, p_mail_to_new jsonb, p_client jsonb, p_now timestamptz
) returns table (outcome text, retry_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp rows 1 as $$
declare
    v_email text;
    v_wait interval;
    v_payload jsonb := jsonb_build_object(
        'email', p_email, 'email_canonical', p_email_canonical, 'session', p_session);
begin
    perform data.acting_alone_in(p_user, p_session, p_now);
    if exists (
        select from data.user_emails e where e.email_canonical = p_email_canonical and e.user_id = p_user
    ) then
        return query select 'same', null::timestamptz;
        return;
    end if;
    select u.email into v_email from data.users u where u.user_id = p_user;
    v_wait := data.issue_mail_token(p_user, p_mail_to_old, v_payload, p_now);
    if v_wait is not null then
        return query select 'too_soon', p_now + v_wait;
        return;
    end if;
    perform data.issue_mail_token(p_user, p_mail_to_new, v_payload, p_now);
    delete from data.mail_tokens t
        where t.user_id = p_user and t.kind in ('change-old', 'change-new')
            and t.payload <> v_payload;
    perform data.send_mail(p_user, v_email, p_mail_to_old, p_now);
    perform data.send_mail(p_user, p_email, p_mail_to_new, p_now);
    perform data.audit(p_user, 'email.change_requested', p_client, p_session, null, p_now);
    return query select 'asked', null::timestamptz;
end $$;
