-- Puts a mail, as the service drafted it, into the outbox. Its reader is
-- greeted by name only if the address is known to be theirs: nobody's choice of
-- words goes to a stranger. Called again with the same id, it changes nothing.
create or replace function data.send_mail(
    p_user uuid, p_recipient text, p_mail jsonb, p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_acting text := current_setting('app.user_id', true);
    v_name text;
begin
    perform set_config('app.user_id', p_user::text, true);
    select u.display_name into v_name from data.users u
        where u.user_id = p_user and u.email = p_recipient and u.email_verified;
    insert into data.outbox (
        user_id, id, kind, recipient, display_name, parameters,
        next_attempt_at, give_up_at, created_at
    ) values (
        p_user, (p_mail ->> 'id')::uuid, p_mail ->> 'kind', p_recipient, coalesce(v_name, ''),
        p_mail -> 'parameters', case when p_mail ->> 'kind' <> 'none' then p_now end,
        (p_mail ->> 'give_up_at')::timestamptz, p_now
    ) on conflict do nothing;
    perform set_config('app.user_id', coalesce(v_acting, ''), true);
end $$;
