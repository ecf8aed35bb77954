-- Tasks: the tables that nobody but their owner touches, and the schema of the
-- functions that everybody else calls. Runs as tasks_owner.

revoke all on schema public from public;
-- Without IN SCHEMA: a schema's own default privileges can only add rights.
alter default privileges revoke execute on functions from public;

create schema data;
create schema api;
alter default privileges in schema api grant execute on functions to tasks_app;
grant usage on schema api to tasks_app;

-- Counters of a user, and nothing else: the one table that may be looked at
-- across users.
create table data.user_state (
    user_id uuid not null,
    -- The revision of the user's last change.
    head_rev bigint not null,
    constraint user_state_pkey primary key (user_id)
);

-- A deleted task stays as a tombstone for 30 days, with its revision and
-- without its contents. What a title or a due date may be is decided by the
-- service; Postgres parses every CHECK again for every statement (2 to 5 µs
-- each), so lengths are types here and only the shape of a due date is checked.
create table data.tasks (
    user_id uuid not null,
    -- UUIDv7: ids sort by the time of creation.
    id uuid not null,
    title varchar(500) not null,
    notes varchar(20000) not null,
    completed_at timestamptz,
    due_date date,
    due_minute bigint,
    due_zone text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    -- The place of the last change among all changes of the user.
    rev bigint not null,
    constraint tasks_pkey primary key (user_id, id),
    constraint tasks_rev_key unique (user_id, rev),
    constraint tasks_due_whole check (
        (due_minute is null or due_date is not null)
        and (due_zone is null or due_minute is not null)
    )
);

-- Pages, newest first: of all tasks, of the open ones, of those that are done.
-- A page costs the same at any depth. Ascending and read backwards: new ids are
-- the highest, and in a descending index they split pages badly, until the
-- planner takes the larger index for the dearer one and reads the wrong one.
create index tasks_newest on data.tasks (user_id, id) where deleted_at is null;
create index tasks_newest_open on data.tasks (user_id, id)
    where deleted_at is null and completed_at is null;
create index tasks_newest_done on data.tasks (user_id, id)
    where deleted_at is null and completed_at is not null;
create index tasks_tombstones on data.tasks (user_id, deleted_at) where deleted_at is not null;

-- Writes that clients may repeat, remembered for 24 hours (AIP-155).
create table data.requests (
    user_id uuid not null,
    -- The id that the client chose.
    id uuid not null,
    -- SHA-256 of what the client asked for.
    payload_hash bytea not null,
    -- What the write made or changed.
    task_id uuid not null,
    created_at timestamptz not null,
    constraint requests_pkey primary key (user_id, id)
);

alter table data.user_state enable row level security;
alter table data.user_state force row level security;
alter table data.tasks enable row level security;
alter table data.tasks force row level security;
alter table data.requests enable row level security;
alter table data.requests force row level security;

create policy own on data.user_state
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.tasks
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.requests
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

-- Only the function that purges turns this setting on. It learns which users
-- there are, and then works as each of them.
create policy sweep on data.user_state for select
    using (current_setting('app.sweep', true) = 'on');
