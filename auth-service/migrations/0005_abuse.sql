-- What keeps guessing slow: throttles, and since when devices are known.

-- Passes that say a device is known were issued after this, or are good no
-- more; see data.forget_devices.
alter table data.users
    add column devices_since timestamptz not null default '-infinity';

-- Attempts at something, counted by what they have in common: an e-mail, a
-- device, an address. They belong to no user: unknown e-mails are throttled as
-- known ones are.
create table data.throttles (
    -- A MAC; it tells nobody what it stands for.
    bucket bytea primary key,
    -- Attempts that are not forgotten yet, as of counted_at.
    attempts bigint not null,
    counted_at timestamptz not null,
    -- Before this no attempt is let through.
    free_at timestamptz not null,
    -- Refusals that were noted in the minute from noted_at on.
    noted bigint not null,
    noted_at timestamptz not null,
    -- From here on it is as if the row were not there.
    expires_at timestamptz not null
);
create index throttles_by_expiry on data.throttles (expires_at);

-- The sessions of a user that may live: few, whatever was before.
create index sessions_not_ended on data.sessions (user_id, id) where ended_at is null;

-- api.begin_sign_in took its place.
drop function if exists api.password_of(text);
