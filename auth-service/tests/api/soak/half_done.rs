//! What is half-done, whoever was killed in the middle of whatever: each query
//! finds some of it, a line each. Accounts that were deleted have no rows, and what
//! they were not told yet is under nobody's name; see `checks::forget`.
//!
//! Moments order what one call writes; what several calls of a user wrote is in the
//! order of the audit log, which they wait for.

pub(super) const HALF_DONE: [&str; 17] = [
    // An account has its address, its entry in the log, its mail and the token in it,
    // which goes with that address; one that was imported has no mail.
    "with rows as (
        select user_id, 'user' as what from data.users
        union all select e.user_id, 'address' from data.user_emails e
            join data.users u on u.user_id = e.user_id and lower(u.email) = e.email_canonical
        union all select user_id, case kind when 'sign_up' then 'entry' else 'import' end
            from data.audit_events where kind in ('sign_up', 'admin.user.imported')
        union all select user_id, 'mail' from data.outbox where kind = 'verify'
        union all select user_id, 'token' from data.mail_tokens where kind = 'verify'
        union all select user_id, 'token' from data.audit_events where kind = 'email.changed'
    ) select format('the account %s has %s', user_id, string_agg(what, ', ' order by what))
    from rows group by user_id having string_agg(what, ', ' order by what)
        not in ('address, entry, mail, token, user', 'address, import, user')
    union all
    select format('the account %s has %s addresses', user_id, count(*))
    from data.user_emails group by user_id having count(*) <> 1",
    // A session has the entry that says how it began, and an entry its session.
    "select format('the session %s/%s began with the entry %s', s.id, a.session_id, a.sequence)
    from data.sessions s
    full join (select * from data.audit_events where kind in ('sign_up', 'sign_in')) a
        on a.user_id = s.user_id and a.session_id = s.id and a.created_at = s.created_at
    where s.id is null or a.session_id is null",
    // Verifiers are told of it if and only if it ended, and once.
    "select format('the session %s ended at %s and is told as event %s', s.id, s.ended_at, e.rev)
    from (select * from data.sessions where ended_at is not null) s
    full join (
        select * from data.trust_events
        where kind = 'session' and subject_id not in (select user_id from data.deletions)
    ) e on e.subject_id = s.user_id and e.session_id = s.id and e.not_before = s.ended_at
    where s.id is null or e.rev is null",
    "select format('%s events end at %s', count(*), max(h.head_rev))
    from data.trust_events e cross join data.trust_head h
    having count(*) <> max(h.head_rev) or count(*) <> count(distinct e.rev)",
    // It ended for one reason, which is in the log.
    "select format('the session %s ended for %s reasons', s.id, count(a.sequence))
    from data.sessions s
    left join data.audit_events a on a.user_id = s.user_id and a.created_at = s.ended_at and (
        a.kind = 'sign_out' and a.session_id = s.id
        or a.session_id is distinct from s.id and a.kind in (
            'factor.added', 'password.changed', 'password.reset', 'email.changed',
            'admin.user.suspended'))
    where s.ended_at is not null
    group by s.user_id, s.id having count(a.sequence) <> 1",
    // With that entry every session ended that it ends.
    "select format('the session %s outlived the entry %s, %s', s.id, a.sequence, a.kind)
    from data.sessions s
    join data.audit_events b on b.user_id = s.user_id and b.session_id = s.id
        and b.kind in ('sign_up', 'sign_in')
    join data.audit_events a on a.user_id = s.user_id and a.sequence > b.sequence
        and coalesce(s.ended_at, 'infinity') > a.created_at
    where a.kind = 'sign_out' and a.session_id = s.id
        or a.session_id is distinct from s.id and a.kind in (
            'factor.added', 'password.changed', 'password.reset', 'email.changed',
            'admin.user.suspended')
        -- It is never the first factor here.
        and a.details ->> 'kind' is distinct from 'passkey'",
    // The owner is told of a new password if the address is verified, and a token that
    // set one is used up; it is removed with the address that it was sent to.
    "with rows as (
        select user_id, created_at as at, kind from data.audit_events
            where kind in ('password.changed', 'password.reset')
        union all select user_id, created_at, 'mail' from data.outbox
            where kind = 'password-changed'
                and user_id <> '00000000-0000-0000-0000-000000000000'
        union all select user_id, used_at, 'token' from data.mail_tokens
            where kind = 'reset' and used_at is not null
    ) select format('of the password that %s set at %s there is %s',
        user_id, at, string_agg(kind, ', ' order by kind))
    from rows group by user_id, at
    having string_agg(kind, ', ' order by kind)
            not in ('mail, password.changed', 'mail, password.reset, token')
        and (string_agg(kind, ', ' order by kind) <> 'mail, password.reset' or not exists (
            select from data.audit_events a
            where a.user_id = rows.user_id and a.kind = 'email.changed'))
        and (string_agg(kind, ', ' order by kind) <> 'password.changed' or exists (
            select from data.audit_events p
            join data.audit_events v on v.user_id = p.user_id and v.sequence < p.sequence
                and v.kind in ('email.verified', 'password.reset', 'email.changed')
            where p.user_id = rows.user_id and p.created_at = rows.at
                and p.kind = 'password.changed'))",
    // An address is verified by a token, which is used up by it, or by a reset; or it
    // has agreed to be the address.
    "with rows as (
        select user_id, created_at as at from data.audit_events where kind = 'email.verified'
        union all select user_id, used_at from data.mail_tokens
            where kind = 'verify' and used_at is not null
    ) select format('the address of %s was verified at %s by half', user_id, at)
    from rows
    where not exists (
        select from data.audit_events a
        where a.user_id = rows.user_id and a.kind = 'email.changed')
    group by user_id, at having count(*) <> 2
    union all
    select format('the address of %s is verified: %s', u.user_id, u.email_verified)
    from data.users u where u.email_verified <> exists (
        select from data.audit_events a where a.user_id = u.user_id
            and a.kind in ('email.verified', 'password.reset', 'email.changed'))",
    // What was asked for by mail has its token, until the account is suspended or has
    // another address; a key that was ordered, its entry. One that was withdrawn is
    // gone, and verifiers are told.
    "with rows as (
        select user_id, created_at as at from data.outbox o where kind = 'reset' and not exists (
            select from data.audit_events a where a.user_id = o.user_id
                and a.kind in ('email.changed', 'admin.user.suspended'))
        except select user_id, created_at from data.mail_tokens where kind = 'reset'
    ) select format('the mail to %s of %s has no token', user_id, at) from rows
    union all
    select format('%s keys were ordered, of which %s are in the log', keys.count, entries.count)
    from (select count(*) from data.signing_keys where hurried) keys,
        (select count(*) from data.audit_events where kind = 'admin.signing_key.rotated'
            and details ->> 'kid' not in (
                select details ->> 'kid' from data.audit_events
                where kind = 'admin.signing_key.revoked')) entries
    where keys.count <> entries.count
    union all
    select format('the key %s was withdrawn, and is there', k.kid)
    from data.signing_keys k join data.audit_events a
        on a.kind = 'admin.signing_key.revoked' and a.details ->> 'kid' = k.kid
    union all
    select format('%s keys were withdrawn, and verifiers are told of %s', entries.count, told.count)
    from (select count(*) from data.audit_events a
            where kind = 'admin.signing_key.revoked') entries,
        (select count(*) from data.trust_events e join data.audit_events a
            on a.kind = 'admin.signing_key.revoked' and a.created_at = e.created_at
            where e.kind = 'keys') told
    where entries.count <> told.count",
    // Another address is asked for with a mail to both; the one that was left is told.
    "with rows as (
        select user_id, created_at as at, kind from data.audit_events
            where kind in ('email.change_requested', 'email.changed')
        union all select user_id, created_at, kind from data.outbox
            where kind in ('change-old', 'change-new', 'email-changed')
                and user_id <> '00000000-0000-0000-0000-000000000000'
    ) select format('of the address that %s asked for or got at %s there is %s',
        user_id, at, string_agg(kind, ', ' order by kind))
    from rows group by user_id, at
    having string_agg(kind, ', ' order by kind) not in (
        'change-new, change-old, email.change_requested', 'email-changed, email.changed')",
    // A second factor is there as the log says, and recovery codes go with it.
    "select format('%s has %s authenticators and %s sets; by the log %s',
        u.user_id, f.authenticators, f.sets, a.count)
    from data.users u
    cross join lateral (
        select count(*) filter (where kind in ('totp', 'passkey')) as authenticators,
            count(*) filter (where kind = 'recovery_codes') as sets
        from data.factors where user_id = u.user_id and confirmed_at is not null
    ) f
    cross join lateral (
        select count(*) filter (where kind = 'factor.added')
            - count(*) filter (where kind = 'factor.removed') as count
        from data.audit_events where user_id = u.user_id
    ) a
    where f.authenticators <> a.count or f.sets <> a.count",
    // A recovery code is there, or has opened one session.
    "select format('of the set %s of %s codes are left, and %s are taken', f.id, c.left, t.taken)
    from data.factors f
    cross join lateral (
        select count(*) as left from data.recovery_codes
        where user_id = f.user_id and set_id = f.id
    ) c
    cross join lateral (
        select count(*) as taken from data.sessions s
        join data.audit_events b on b.user_id = s.user_id and b.session_id = s.id
            and b.kind = 'sign_in'
        where s.user_id = f.user_id and 'recovery' = any (s.amr) and b.sequence > (
            select max(m.sequence) from data.audit_events m
            where m.user_id = f.user_id and m.kind = 'recovery_codes.made')
    ) t
    where f.kind = 'recovery_codes' and c.left + t.taken <> 10
    union all
    select format('the set %s is gone and has codes', c.set_id) from data.recovery_codes c
    where c.set_id not in (select id from data.factors)",
    // A session begins with a code if and only if there is a second factor.
    "select format('the session %s began by %s beside %s factors', s.id, s.amr, f.count)
    from data.sessions s
    join data.audit_events b on b.user_id = s.user_id and b.session_id = s.id
        and b.kind in ('sign_up', 'sign_in')
    cross join lateral (
        select count(*) filter (where kind = 'factor.added')
            - count(*) filter (where kind = 'factor.removed') as count
        from data.audit_events where user_id = s.user_id and sequence < b.sequence
    ) f
    where (f.count > 0) <> (s.amr && array['otp', 'recovery', 'pop'])",
    // Whoever was suspended was reinstated; verifiers are told when.
    "select format('%s was suspended %s times and reinstated %s times, by now: %s',
        u.user_id, a.suspended, a.reinstated, u.suspended_at)
    from data.users u
    cross join lateral (
        select count(*) filter (where kind = 'admin.user.suspended') as suspended,
            count(*) filter (where kind = 'admin.user.reinstated') as reinstated
        from data.audit_events where user_id = u.user_id
    ) a
    where a.suspended <> a.reinstated or u.suspended_at is not null",
    "select format('the suspension of %s/%s is told as event %s', a.user_id, e.subject_id, e.rev)
    from (select * from data.audit_events where kind = 'admin.user.suspended') a
    full join (
        select * from data.trust_events
        where kind = 'user' and subject_id not in (select user_id from data.deletions)
    ) e on e.subject_id = a.user_id and e.created_at = a.created_at
    where a.user_id is null or e.rev is null",
    // A deletion has its entry, which does not say whose it was, its mail, and what
    // verifiers and services are told.
    "select format('%s deletions have %s entries and %s mails', d.count, a.count, o.count)
    from (select count(*) from data.deletions) d,
        (select count(*) from data.audit_events where kind = 'user.deleted') a,
        (select count(*) from data.outbox where kind = 'deletion-receipt') o
    where d.count <> a.count or d.count <> o.count
    union all
    select format('the deletion of %s is told as %s', d.user_id, string_agg(e.kind, ', ' order by rev))
    from data.deletions d
    left join data.trust_events e on e.subject_id = d.user_id and e.created_at = d.requested_at
        and e.kind in ('user', 'erase')
    group by d.user_id having string_agg(e.kind, ', ' order by rev) is distinct from 'user, erase'",
    // A secret has the entry that says that it was made.
    "select format('the secret of %s of %s has no entry', a.name, s.created_at)
    from data.service_secrets s join data.service_accounts a on a.account_id = s.account_id
    where not exists (
        select from data.audit_events e where e.created_at = s.created_at
            and e.kind in ('service_account.created', 'service_account.changed')
            and e.details ->> 'service_account' = a.name)",
];
