-- Passkeys beside authenticators. The secret of one is what its answers are checked
-- with: its credential id and its public key, sealed. It is written when it is
-- confirmed, and not before.

alter table data.factors drop constraint factors_kind_is_known;
alter table data.factors add constraint factors_kind_is_known
    check (kind in ('totp', 'recovery_codes', 'passkey'));

-- When the user last removed one: none is added that was asked for before.
alter table data.users add column passkeys_from timestamptz;
