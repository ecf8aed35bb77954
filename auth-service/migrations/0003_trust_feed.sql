-- How far what verifiers are told is known, and to whom.

-- Events up to here were swept: the tokens they were about have expired.
alter table data.trust_head add column horizon_rev bigint not null default 0;

alter table data.signing_keys
    -- Since when verifiers are told of it, by the number of the event.
    add column rev bigint not null default 0,
    -- Signs as soon as every watcher knows it, at activates_at at the latest.
    add column hurried boolean not null default false;

-- Running replicas, and what all of their watchers have taken in; what the
-- replica itself has, where nobody watches. It belongs to the service and to no
-- user.
create table data.trust_replicas (
    replica uuid primary key,
    watchers bigint not null,
    acknowledged_rev bigint not null,
    seen_at timestamptz not null
);

-- Their new forms say more of a key, and tell verifiers.
drop function if exists api.signing_keys();
drop function if exists api.add_signing_key(bigint, text, text, jsonb, bytea, timestamptz, timestamptz);
drop function if exists api.remove_signing_keys(bigint);
