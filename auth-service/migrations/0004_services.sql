-- Machines that call, and how each proves which account it has. They belong to
-- the service and to no user.

create table data.service_accounts (
    account_id uuid primary key,
    name text not null constraint service_accounts_name_is_unique unique,
    scopes text[] not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    -- When a refusal was last noted in the audit log.
    refusal_noted_at timestamptz,
    -- Tokens issued before may do more than the account; a whole second.
    tokens_not_before timestamptz
);

-- SHA-256 of secrets of 256 random bits; at most two of an account.
create table data.service_secrets (
    account_id uuid not null,
    hash bytea not null,
    created_at timestamptz not null,
    primary key (account_id, hash)
);

-- Public keys that check signed assertions; at most two of an account.
create table data.service_keys (
    account_id uuid not null,
    kid text not null,
    public_key jsonb not null,
    created_at timestamptz not null,
    primary key (account_id, kid)
);

-- Assertions that were used, until they would not be accepted any more.
create table data.used_assertions (
    account_id uuid not null,
    jti text not null,
    expires_at timestamptz not null,
    primary key (account_id, jti)
);
create index used_assertions_by_expiry on data.used_assertions (expires_at);
