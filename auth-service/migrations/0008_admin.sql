-- What operators do, and the audit log looked at as a whole.

-- Accounts are listed across users, newest first.
create index users_by_creation on data.users (created_at, user_id);
create policy list on data.users for select
    using (current_setting('app.list', true) = 'on');

-- The chains of all users are checked by functions that tell nothing but where
-- one is broken.
create policy verify on data.audit_events for select
    using (current_setting('app.verify', true) = 'on');
create policy verify on data.audit_heads for select
    using (current_setting('app.verify', true) = 'on');

-- Their new forms tell who is an operator.
drop function if exists api.get_user(uuid, uuid, timestamptz);
drop function if exists api.update_user(uuid, uuid, text, timestamptz);
drop function if exists api.open_session(uuid, text, text, text, uuid, text, jsonb, timestamptz, timestamptz, timestamptz);
drop function if exists api.refresh_session(uuid, uuid, bigint, timestamptz, timestamptz, interval, jsonb);
