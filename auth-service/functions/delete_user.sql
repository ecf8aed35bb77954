-- Deletes the caller's account, and has every service erase what it has of the
-- user. p_mail is what the owner is told by mail, if anything. Outcomes:
--   deleted      it is gone; also if this very request did it before
--   wrong_email  p_email_canonical is not the address of the account
create or replace function api.delete_user(
    p_user uuid, p_session uuid, p_email_canonical text, p_request uuid, p_receipt_hash bytea,
    p_mail jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    v_email text;
    v_services bigint;
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

    insert into data.deletions (user_id, request_id, receipt_hash, requested_at)
    values (p_user, p_request, p_receipt_hash, p_now);
    insert into data.erasures (user_id, service)
    select p_user, a.name from data.service_accounts a where 'trust:watch' = any (a.scopes);
    get diagnostics v_services = row_count;
    -- What is left after so many rows goes with api.sweep_deletions.
    perform data.forget(p_user, 10000);
    perform data.audit(v_nobody, 'user.deleted', '{}', null,
        jsonb_build_object('services', v_services), p_now);
    if p_mail is not null then
        -- Under nobody's name: nothing is kept under the user's own.
        perform data.send_mail(v_nobody, v_email, p_mail, p_now);
    end if;
    -- That ends the sessions, too. Nobody gets a token for this user again; the
    -- clock of the replica that gave out the last one may have been ahead.
    perform data.tell_verifiers(
        'user', array[p_user], array[null::uuid], p_now + interval '1 minute', p_now);
    perform data.tell_verifiers('erase', array[p_user], array[null::uuid], p_now, p_now);
    return 'deleted';
end $$;
