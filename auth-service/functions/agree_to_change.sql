-- One of two addresses agrees, by its token p_kind, that the account gets the
-- address in p_payload; once both have, it does. Only while the session lives that
-- asked for it: who ends that session takes back what was asked for. Outcomes as
-- those of api.verify_email.
create or replace function data.agree_to_change(
    p_user uuid, p_kind text, p_payload jsonb, p_client jsonb, p_notice jsonb, p_now timestamptz
) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_agreed boolean;
begin
    if not exists (
        select from data.sessions s
        where s.user_id = p_user and s.id = (p_payload ->> 'session')::uuid
            and s.ended_at is null and s.expires_at > p_now
    ) then
        return 'invalid';
    end if;
    -- The other token of the same wish must be there, used or not; if it was asked for
    -- again, any of them.
    select bool_or(t.used_at is not null) into v_agreed from data.mail_tokens t
        where t.user_id = p_user and t.payload = p_payload
            and t.kind = case p_kind when 'change-old' then 'change-new' else 'change-old' end;
    if v_agreed is null then
        return 'invalid';
    elsif not v_agreed then
        perform data.audit(p_user, 'email.change_agreed', p_client, (p_payload ->> 'session')::uuid,
            null, p_now);
        return 'agreed';
    end if;
    return data.change_email(p_user, p_payload, p_client, p_notice, p_now);
end $$;
