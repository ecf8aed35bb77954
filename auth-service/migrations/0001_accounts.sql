-- Accounts, sessions and signing keys.
--
-- `data` holds the tables, which are private; `api` holds the functions, which
-- are all that the service may use. The functions run with the rights of the
-- owner, whom FORCE ROW LEVEL SECURITY binds too: without `app.user_id` (or, to
-- find a user by e-mail, `app.email`) there are no rows for anybody.

create schema data;
create schema api;
revoke all on schema public from public;
alter default privileges revoke execute on functions from public;
alter default privileges in schema api grant execute on functions to auth_app;
grant usage on schema api to auth_app;

create table data.users (
    user_id uuid primary key,
    email text not null,
    email_verified boolean not null default false,
    display_name text not null,
    password_hash text not null,
    -- Which pepper went into the hash; empty for none.
    pepper_id text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- Who has an e-mail address. It is a table of its own, because it is looked up
-- and kept unique across users, which no table of a user's rows can do.
create table data.user_emails (
    email_canonical text primary key,
    user_id uuid not null
);

create table data.sessions (
    user_id uuid not null,
    id uuid not null,
    -- How often the refresh token was exchanged; tokens are derived from it.
    generation bigint not null default 0,
    rotated_at timestamptz not null,
    user_agent text not null,
    amr text[] not null,
    auth_time timestamptz not null,
    created_at timestamptz not null,
    -- Without a refresh until then it is over; no refresh moves it past ends_at.
    expires_at timestamptz not null,
    ends_at timestamptz not null,
    ended_at timestamptz,
    primary key (user_id, id),
    constraint sessions_expire_before_they_end check (expires_at <= ends_at)
);
create index sessions_by_expiry on data.sessions (user_id, expires_at);

-- Keys that sign access tokens, one generation after the other. They belong to
-- the service and to no user.
create table data.signing_keys (
    generation bigint primary key,
    kid text not null constraint signing_keys_kid_is_unique unique,
    algorithm text not null,
    public_key jsonb not null,
    sealed_private_key bytea not null,
    activates_at timestamptz not null,
    created_at timestamptz not null
);

alter table data.users enable row level security;
alter table data.users force row level security;
alter table data.user_emails enable row level security;
alter table data.user_emails force row level security;
alter table data.sessions enable row level security;
alter table data.sessions force row level security;

create policy own on data.users
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.user_emails
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.sessions
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
-- A visitor is looked up by e-mail, one at a time.
create policy by_email on data.user_emails for select
    using (email_canonical = nullif(current_setting('app.email', true), ''));
-- What is over is removed across users, by a function that returns a count.
create policy sweep on data.sessions
    using (current_setting('app.sweep', true) = 'on');
