-- Deletes the caller's account, and has p_services erase what they have of the
-- user. p_mail is what the owner is told by mail, if anything. Outcomes:
--   deleted      it is gone; also if this very request did it before
--   left         so it is, and there are more rows than one call removes: see
--                api.forget_user
--   wrong_email  p_email_canonical is not the address of the account
create or replace function api.delete_user(
    p_user uuid, p_session uuid, p_email_canonical text, p_request uuid, p_receipt_hash bytea,
    p_services text[], p_mail jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    v_rows constant bigint := 1000;
    v_stand_in constant uuid := data.stand_in(p_email_canonical);
    v_email text;
    v_head data.audit_heads;
    v_removed bigint;
begin
    perform set_config('app.user_id', p_user::text, true);
    -- Sign-ins, changes and other deletions wait, or we do.
    select u.email into v_email from data.users u where u.user_id = p_user for update;
    if exists (
        select from data.deletions d
        where d.user_id = p_user and d.request_id = p_request and d.receipt_hash = p_receipt_hash
    ) then
        return 'deleted';
    end if;
    perform data.acting_in(p_user, p_session, p_now);
    if not exists (
        select from data.user_emails e
        where e.email_canonical = p_email_canonical and e.user_id = p_user
    ) then
        return 'wrong_email';
    end if;

    insert into data.deletions (user_id, request_id, receipt_hash, requested_at, stand_in)
    values (p_user, p_request, p_receipt_hash, p_now, v_stand_in);
    insert into data.erasures (user_id, service)
    select distinct p_user, s.name from unnest(p_services) as s (name);
    select h.* into v_head from data.audit_heads h where h.user_id = p_user for update;
    perform data.pass_on_notices(p_user);
    v_removed := data.forget_stand_in(v_stand_in, p_now, v_rows);
    perform set_config('app.user_id', p_user::text, true);
    -- However many sessions there are: none that lives is left for later.
    delete from data.sessions s where s.user_id = p_user and s.ended_at is null;
    v_removed := v_removed + data.forget(p_user, v_rows);
    -- Whoever has a copy of the chain can tell that it went by a deletion.
    perform data.audit(v_nobody, 'user.deleted', '{}', null,
        jsonb_build_object(
            'services', coalesce(cardinality(p_services), 0), 'entries', v_head.sequence,
            'last_hash', encode(v_head.hash, 'hex')), p_now);
    if p_mail is not null then
        -- Under nobody's name: nothing is kept under the user's own.
        perform data.send_mail(v_nobody, v_email, p_mail, p_now);
    end if;
    -- That ends the sessions, too. Nobody gets a token for this user again; the
    -- clock of the replica that gave out the last one may have been ahead.
    perform data.tell_verifiers(
        'user', array[p_user], array[null::uuid], p_now + interval '1 minute', p_now);
    perform data.tell_verifiers('erase', array[p_user], array[null::uuid], p_now, p_now);
    return case when v_removed < v_rows then 'deleted' else 'left' end;
end $$;
