-- What reaches verifiers, and what happened to accounts.
--
-- Whatever ends sessions does it by data.end_sessions, so that no end of a
-- session can fail to reach the verifiers; whatever changes an account says so
-- by data.audit, in the transaction of the change.

alter table data.users
    add column suspended_at timestamptz,
    add column is_admin boolean not null default false;

-- What verifiers are told, in the order of commits. The one row of trust_head
-- counts them; taking it is the last thing that a function does.
create table data.trust_head (
    one boolean primary key constraint trust_head_is_one_row check (one),
    head_rev bigint not null
);
insert into data.trust_head (one, head_rev) values (true, 0);

create table data.trust_events (
    rev bigint primary key,
    -- session, user, service, keys, erase
    kind text not null,
    -- The user or the service account; nil for keys.
    subject_id uuid not null,
    session_id uuid,
    -- Tokens issued before are good no more.
    not_before timestamptz not null,
    created_at timestamptz not null
);

-- What happened, chained by hashes: a chain for each user, and that of the nil
-- UUID for the service itself. Rows are only ever added.
create table data.audit_events (
    user_id uuid not null,
    sequence bigint not null,
    kind text not null,
    -- users/…, serviceAccounts/…, or empty for whoever is not signed in.
    actor text not null,
    address_prefix text not null,
    device_label text not null,
    session_id uuid,
    details jsonb not null,
    created_at timestamptz not null,
    hash bytea not null,
    primary key (user_id, sequence)
);
create table data.audit_heads (
    user_id uuid primary key,
    sequence bigint not null,
    hash bytea not null,
    -- Refusals that were noted in the minute from refusals_since on.
    refusals bigint not null default 0,
    refusals_since timestamptz not null default '-infinity'
);

alter table data.audit_events enable row level security;
alter table data.audit_events force row level security;
alter table data.audit_heads enable row level security;
alter table data.audit_heads force row level security;
create policy own on data.audit_events
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.audit_heads
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

-- Their new forms take the client, for the audit log.
drop function if exists api.sign_up(uuid, text, text, text, text, text, uuid, text, timestamptz, timestamptz, timestamptz);
drop function if exists api.open_session(uuid, text, text, text, uuid, text, timestamptz, timestamptz, timestamptz);
drop function if exists api.refresh_session(uuid, uuid, bigint, timestamptz, timestamptz, interval);
drop function if exists api.end_session(uuid, uuid, timestamptz);
drop function if exists api.revoke_session(uuid, uuid, uuid, timestamptz);
drop function if exists api.revoke_other_sessions(uuid, uuid, timestamptz);
drop function if exists api.change_password(uuid, uuid, text, text, text, timestamptz);
