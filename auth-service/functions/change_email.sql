-- Gives the account its new address and ends every session but the one that
-- asked for it. What was sent to the old address is void. 'taken' if another
-- account has the address by now.
create or replace function data.change_email(
    p_user uuid, p_payload jsonb, p_client jsonb, p_notice jsonb, p_now timestamptz
) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_canonical text := p_payload ->> 'email_canonical';
    v_session uuid := (p_payload ->> 'session')::uuid;
    v_old text;
begin
    insert into data.user_emails (email_canonical, user_id)
    values (v_canonical, p_user) on conflict do nothing;
    if not found then
        return 'taken';
    end if;
    delete from data.user_emails where user_id = p_user and email_canonical <> v_canonical;
    select u.email into v_old from data.users u where u.user_id = p_user;
    perform data.send_mail(p_user, v_old, p_notice, p_now);
    update data.users
        set email = p_payload ->> 'email', email_verified = true, updated_at = p_now
        where user_id = p_user;
    delete from data.mail_tokens where user_id = p_user;
    perform data.audit(p_user, 'email.changed', p_client, v_session, null, p_now);
    perform data.end_sessions(p_user, null, v_session, p_now);
    return 'changed';
end $$;
