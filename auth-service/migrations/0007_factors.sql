-- Second factors: authenticators, recovery codes, and sign-ins that wait for one.

alter table data.users
    -- Wrong codes of authenticators in a row, and until when none is looked at.
    add column wrong_codes bigint not null default 0,
    add column codes_from timestamptz;

create table data.factors (
    user_id uuid not null,
    id uuid not null,
    -- For recovery_codes the factor is the set, and its secret the key of the hashes.
    kind text not null constraint factors_kind_is_known check (kind in ('totp', 'recovery_codes')),
    display_name text not null,
    sealed_secret bytea,
    -- The last time step of which a code was taken; none of it or before is taken again.
    last_step bigint not null default 0,
    created_at timestamptz not null,
    -- Until when it can be confirmed.
    pending_until timestamptz,
    confirmed_at timestamptz,
    last_used_at timestamptz,
    primary key (user_id, id),
    -- Until it is confirmed there is no secret: it follows from the id.
    constraint factors_are_pending_or_confirmed check (
        (confirmed_at is null) = (sealed_secret is null)
        and (confirmed_at is null) = (pending_until is not null)
    )
);

-- The codes that are left of a set.
create table data.recovery_codes (
    user_id uuid not null,
    set_id uuid not null,
    hash bytea not null,
    primary key (user_id, set_id, hash)
);

-- Sign-ins whose password was right. A change of the password removes them.
create table data.challenges (
    user_id uuid not null,
    id uuid not null,
    wrong_codes bigint not null default 0,
    expires_at timestamptz not null,
    primary key (user_id, id)
);

alter table data.factors enable row level security;
alter table data.factors force row level security;
alter table data.recovery_codes enable row level security;
alter table data.recovery_codes force row level security;
alter table data.challenges enable row level security;
alter table data.challenges force row level security;
create policy own on data.factors
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.recovery_codes
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own on data.challenges
    using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
-- Secrets are sealed anew across users after an exchange of the key-encryption
-- key; whoever reads them this way cannot open them.
create policy reseal on data.factors
    using (current_setting('app.reseal', true) = 'on');

-- Their new forms know of factors.
drop function if exists api.open_session(uuid, text, text, text, uuid, text, jsonb, timestamptz, timestamptz, timestamptz);
drop function if exists api.own_password(uuid, uuid, timestamptz);
