-- Tasks grow: lists, subtasks, a manual order, priorities, labels, recurrence,
-- a bin, and what tells how far back changes are known.

-- Their signatures change before the first release.
drop function if exists api.create_task;
drop function if exists api.update_task;
drop function if exists api.delete_task;
drop function if exists api.set_task_done;
drop function if exists api.get_task;
drop function if exists api.list_tasks;
drop function if exists api.sweep;
drop function if exists data.begin_change;

alter table data.user_state
    -- Tasks and lists that are not deleted, for the quotas.
    add column task_count bigint not null default 0,
    add column list_count bigint not null default 0,
    -- The highest revision of a tombstone that was purged: changes since an
    -- older revision cannot be told any more.
    add column horizon_rev bigint not null default 0;

-- The inbox is no row: it is the list with the nil UUID. A deleted list stays
-- as a tombstone for 30 days.
create table data.lists (
    user_id uuid not null,
    id uuid not null,
    title varchar(200) not null,
    archived boolean not null,
    -- Its place: lists sort by it. See data.tasks.
    position numeric not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    rev bigint not null,
    constraint lists_pkey primary key (user_id, id),
    constraint lists_rev_key unique (user_id, rev)
);
create index lists_in_order on data.lists (user_id, position) where deleted_at is null;
create index lists_tombstones on data.lists (user_id, deleted_at) where deleted_at is not null;

alter table data.tasks
    -- What completed_at has ended: done, or not to be done.
    add column cancelled boolean not null default false,
    -- The nil UUID is the inbox.
    add column list_id uuid not null default '00000000-0000-0000-0000-000000000000',
    -- In the same list.
    add column parent_id uuid,
    -- 0 for none, 1 low, 2 medium, 3 high.
    add column priority bigint not null default 0,
    -- Sorted, each once.
    add column labels text[] not null default '{}',
    -- The place among the tasks of a list. Its whole part always has 16 digits,
    -- so that its text sorts as it does. A new task is first: at
    -- 5 * 10^15 minus its revision, which no earlier one can have.
    add column position numeric,
    -- The whole part of it, by which an index can be searched.
    add column place bigint generated always as (trunc(position)::bigint) stored,
    -- 0 open, 1 done, 2 cancelled, 3 in the bin: what pages are read by.
    add column state bigint generated always as (
        case when deleted_at is not null then 3
             when cancelled then 2
             when completed_at is not null then 1
             else 0 end
    ) stored,
    -- An RRULE, and whether it is counted from completion; the day it is
    -- counted from, and the place of this occurrence in the series, from 1.
    add column rrule text,
    add column rrule_after boolean,
    add column rrule_start date,
    add column rrule_number bigint,
    -- The first task of the series.
    add column series_id uuid,
    -- The occurrence that was made when this one was completed.
    add column next_id uuid,
    -- The revision at which the task that was completed, or deleted, took this
    -- one along: what belongs together comes back together.
    add column completed_with bigint,
    add column deleted_with bigint;

alter table data.tasks no force row level security;
alter table data.user_state no force row level security;
update data.tasks set position = 5000000000000000 - rev;
update data.tasks set completed_with = rev where completed_at is not null;
update data.tasks set deleted_with = rev where deleted_at is not null;
update data.user_state s
set task_count = (select count(*) from data.tasks t
                  where t.user_id = s.user_id and t.deleted_at is null);
alter table data.tasks force row level security;
alter table data.user_state force row level security;
alter table data.tasks alter column position set not null;

-- Pages. For every order there is one index of all tasks and one of those of a
-- list, both by state, so that a page costs the same at any depth and whatever
-- else there is. Several states are merged; only the list that is asked for most,
-- the newest of all states, has an index without. The tasks without the field of
-- an order are found by the time of their creation: the last two columns tell them
-- apart without reading them. functions/page_sql.sql has the conditions that fit.
-- Row level security lets an index be searched only by what leaks nothing: a case
-- does not, a coalesce and a numeric might.
drop index data.tasks_newest;
drop index data.tasks_newest_open;
drop index data.tasks_newest_done;
create index tasks_newest on data.tasks (user_id, created_at, id) where deleted_at is null;
create index tasks_by_create on data.tasks (
    user_id, state, created_at, id, due_date, priority
);
create index tasks_by_create_in_list on data.tasks (
    user_id, state, list_id, created_at, id, due_date, priority
);
create index tasks_by_update on data.tasks (user_id, state, rev);
create index tasks_by_update_in_list on data.tasks (user_id, state, list_id, rev);
create index tasks_by_position on data.tasks (user_id, state, list_id, place, position, id);
create index tasks_by_due on data.tasks (
    user_id, state, due_date, (case when due_minute is null then -1 else due_minute end), id
) where due_date is not null;
create index tasks_by_due_in_list on data.tasks (
    user_id, state, list_id,
    due_date, (case when due_minute is null then -1 else due_minute end), id
) where due_date is not null;
create index tasks_by_priority on data.tasks (user_id, state, priority, id) where priority > 0;
create index tasks_by_priority_in_list on data.tasks (user_id, state, list_id, priority, id)
    where priority > 0;
-- The neighbours of a place in a list.
create index tasks_in_order on data.tasks (user_id, list_id, place, position, id)
    where deleted_at is null;
create index tasks_by_parent on data.tasks (user_id, parent_id) where parent_id is not null;

-- What a batch made or changed, one id for each of its operations.
alter table data.requests add column task_ids uuid[];

alter table data.lists enable row level security;
alter table data.lists force row level security;
create policy own on data.lists
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
