-- Accounts that were deleted, and what services are to erase of them. Nothing
-- here says who the user was; it is kept for a year, for whoever has the receipt.

create table data.deletions (
    user_id uuid primary key,
    -- What the request was called by its client (AIP-155).
    request_id uuid not null,
    -- SHA-256 of the secret in the receipt token.
    receipt_hash bytea not null,
    requested_at timestamptz not null,
    -- Under which id there are rows of the address's; null once they are gone.
    stand_in uuid,
    -- When nothing of the account was found any more.
    forgotten_at timestamptz
);
create index deletions_to_forget on data.deletions (user_id) where forgotten_at is null;

-- The services that have to erase what they have, by the names of their accounts:
-- an account that is made later, or anew, confirms for them.
create table data.erasures (
    user_id uuid not null,
    service text not null,
    erased_at timestamptz,
    -- When an operator said that nobody waits for this any more.
    closed_at timestamptz,
    primary key (user_id, service)
);
create index erasures_to_confirm on data.erasures (user_id, service) where erased_at is null;

alter table data.deletions enable row level security;
alter table data.deletions force row level security;
alter table data.erasures enable row level security;
alter table data.erasures force row level security;
create policy own on data.deletions
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.erasures
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
-- Services are told of the users of whom they have something to erase; ids only.
create policy pending on data.erasures for select
    using (current_setting('app.erasures', true) = 'on');
-- What is over is looked for across users, and then handled as each of them.
create policy sweep on data.deletions for select
    using (current_setting('app.sweep', true) = 'on');
-- While a user is being forgotten, the chain of the user's audit log is in pieces.
create policy verify on data.deletions for select
    using (current_setting('app.verify', true) = 'on');
