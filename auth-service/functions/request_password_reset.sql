-- Has a mail sent with which the password can be set anew, and counts that at
-- p_address; or tells how long that address has to wait, in milliseconds, and
-- then does nothing, which no caller is told. Where nobody has the e-mail, the
-- same rows are written for a stand-in, and its mail is never sent. While three
-- such mails are good there is no further one: whoever asks for one makes none of
-- them void.
create or replace function api.request_password_reset(
    p_email_canonical text, p_address bytea, p_rule jsonb, p_mail jsonb, p_now timestamptz
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_wait interval;
    v_user uuid;
    v_email text;
    v_reader text;
    v_payload jsonb;
    v_mail jsonb := p_mail;
    v_live bigint;
begin
    -- Whoever has to wait anyway takes no lock.
    v_wait := coalesce(
        data.throttled_for(array[p_address], p_now),
        data.count_attempt(p_address, p_rule, p_now));
    if v_wait is not null then
        return ceil(extract(epoch from v_wait) * 1000)::bigint;
    end if;
    v_user := data.enter_by_email(p_email_canonical);
    if v_user is null then
        v_user := data.stand_in(p_email_canonical);
        perform set_config('app.user_id', v_user::text, true);
    end if;
    select u.email into v_email from data.users u where u.user_id = v_user;
    if v_email is null then
        v_mail := jsonb_set(p_mail, '{kind}', '"none"');
    end if;
    -- The link is good for the address that it goes to.
    v_reader := coalesce(v_email, p_email_canonical);
    v_payload := jsonb_build_object('email', v_reader);
    -- A pause is for those who have a good one. Looked at in the same statement: of
    -- two who ask at once the second must not drop the pause of the first.
    delete from data.throttles t using jsonb_array_elements(p_mail -> 'pauses') as e (pause)
        where t.bucket = decode(e.pause ->> 'bucket', 'hex') and not exists (
            select from data.mail_tokens m
            where m.user_id = v_user and m.kind = 'reset' and m.used_at is null
                and m.expires_at > p_now
        );
    select count(*) into v_live from data.mail_tokens t
        where t.user_id = v_user and t.kind = 'reset' and t.used_at is null and t.expires_at > p_now;
    if v_live < 3 and data.issue_mail_token(v_user, p_mail, v_payload, p_now) is null then
        perform data.send_mail(v_user, v_reader, v_mail, p_now);
    end if;
    return null;
end $$;
