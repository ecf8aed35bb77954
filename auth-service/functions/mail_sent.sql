-- Notes that a mail was sent. What it said is forgotten, its token with it; where
-- its account is gone, so is whom it went to.
create or replace function api.mail_sent(p_user uuid, p_id uuid, p_now timestamptz)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.outbox
        set sent_at = p_now, next_attempt_at = null, parameters = '{}',
            recipient = data.recipient_kept(p_user, recipient)
        where user_id = p_user and id = p_id;
end $$;
