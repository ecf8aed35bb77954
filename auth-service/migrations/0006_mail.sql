-- Mail: what is to be sent, and the tokens that it carries.
--
-- A mail is put into the outbox by the function that gives the occasion for it,
-- and sent by whichever replica leases it. No token is stored in clear: the
-- outbox has it sealed until the mail is sent, mail_tokens has its hash.

create table data.outbox (
    -- Whom it is about; a stand-in where nobody has the address.
    user_id uuid not null,
    -- UUIDv7; the Message-ID is made of it.
    id uuid not null,
    -- What `Mail` knows, or none: written for the sake of equal time, never sent.
    kind text not null,
    recipient text not null,
    -- Empty unless the address is known to be the user's.
    display_name text not null,
    parameters jsonb not null,
    attempts bigint not null default 0,
    -- Also the end of a lease. Null once there is nothing left to do.
    next_attempt_at timestamptz,
    give_up_at timestamptz not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    primary key (user_id, id)
);
create index outbox_by_attempt on data.outbox (next_attempt_at) where next_attempt_at is not null;

-- Few of a user and a kind are live; see data.issue_mail_token.
create table data.mail_tokens (
    user_id uuid not null,
    -- verify, sign-up, reset, change-old, change-new
    kind text not null,
    hash bytea not null,
    -- What the token allows: the address that is proved, the account to be made.
    payload jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (user_id, kind, hash)
);

alter table data.outbox enable row level security;
alter table data.outbox force row level security;
alter table data.mail_tokens enable row level security;
alter table data.mail_tokens force row level security;

create policy own on data.outbox
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.mail_tokens
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
-- The sender leases mails of all users; what is over is removed across users.
create policy lease on data.outbox
    using (current_setting('app.lease', true) = 'on');
create policy sweep on data.outbox
    using (current_setting('app.sweep', true) = 'on');
create policy sweep on data.mail_tokens
    using (current_setting('app.sweep', true) = 'on');

-- Their new forms take the mail that goes with them.
drop function if exists api.sign_up(uuid, text, text, text, text, text, uuid, text, jsonb, timestamptz, timestamptz, timestamptz);
drop function if exists api.change_password(uuid, uuid, text, text, text, jsonb, timestamptz);
