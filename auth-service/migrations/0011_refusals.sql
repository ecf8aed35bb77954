-- What is refused is noted a bounded number of times a day.

alter table data.audit_heads
    -- Refusals that were noted in the day from day_since on.
    add column day_refusals bigint not null default 0,
    add column day_since timestamptz not null default '-infinity';

-- Their new forms: the one counts, the other is noted in the log.
drop function if exists api.reset_subject(uuid, bytea, timestamptz);
drop function if exists api.update_user(uuid, uuid, text, timestamptz);
