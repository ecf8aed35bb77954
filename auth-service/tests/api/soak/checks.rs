//! What must be true of the rows, whoever was killed in the middle of whatever:
//! every change is there as a whole or not at all.
//!
//! Each query finds what is half-done, a line each.

use std::collections::{BTreeMap, HashSet};

use auth_service::audit;
use shared::{database::Database, testing::eventually};
use uuid::Uuid;

use super::fleet::Fleet;

/// Fails the test if anything was done by half.
pub(super) async fn assert_whole(fleet: &Fleet) {
    let mut faults: Vec<String> = Vec::new();
    for query in HALF_DONE {
        faults.extend(sqlx::query_scalar(query).fetch_all(&fleet.rows).await.expect("it is asked"));
    }
    assert_eq!(faults, Vec::<String>::new(), "done by half");
    let own = Database::new(fleet.database.app.clone(), 1);
    let verified = audit::verify(&own).await.expect("the log is read");
    own.close().await;
    assert!(verified.is_ok(), "{verified:?}");
}

/// Waits until nothing is under way of what the dead had begun.
pub(super) async fn settle(fleet: &Fleet) {
    let open = "select not exists (
            select from pg_stat_activity
            where usename = 'auth_app' and datname = current_database() and state = 'active')";
    eventually("what was begun is done", async || {
        sqlx::query_scalar(open).fetch_one(&fleet.rows).await.expect("it is asked")
    })
    .await;
}

/// The sessions that ended, in the order of commits.
pub(super) async fn ended(fleet: &Fleet) -> Vec<String> {
    let told = "select format('users/%s/sessions/%s', subject_id, session_id)
        from data.trust_events where kind = 'session' order by rev";
    sqlx::query_scalar(told).fetch_all(&fleet.rows).await.expect("the events are read")
}

/// The ids of the keys that there are.
pub(super) async fn keys(fleet: &Fleet) -> HashSet<String> {
    let kids = sqlx::query_scalar("select kid from data.signing_keys");
    kids.fetch_all(&fleet.rows).await.expect("the keys are read").into_iter().collect()
}

/// How many guesses were counted, by which nobody gets in for an hour.
pub(super) async fn counted(fleet: &Fleet) -> Vec<i64> {
    let counted = "select attempts from data.throttles
        where free_at > now() + interval '50 minutes'";
    sqlx::query_scalar(counted).fetch_all(&fleet.rows).await.expect("the throttles are read")
}

/// Waits until all mail has left; then each has arrived, at least once, and each
/// time as the same to the byte.
pub(super) async fn assert_mailed(fleet: &Fleet) {
    let left = "select not exists (
            select from data.outbox where kind <> 'none' and sent_at is null)";
    eventually("all mail has left", async || {
        fleet.end_leases().await;
        sqlx::query_scalar(left).fetch_one(&fleet.rows).await.expect("the outbox is read")
    })
    .await;
    let sent = "select id, recipient from data.outbox where kind <> 'none'";
    let sent: Vec<(Uuid, String)> =
        sqlx::query_as(sent).fetch_all(&fleet.rows).await.expect("the outbox is read");
    let sent: BTreeMap<String, String> =
        sent.into_iter().map(|(id, recipient)| (format!("<{id}@mail.test>"), recipient)).collect();
    let mut arrived = BTreeMap::new();
    for mail in fleet.mails.mails() {
        let id = mail.header("Message-ID").expect("every mail has one");
        assert_eq!(mail.to, [sent[&id].clone()], "{id} is of the outbox");
        let first = arrived.entry(id).or_insert_with(|| mail.clone());
        assert_eq!(*first, mail, "to the byte");
    }
    assert!(arrived.keys().eq(sent.keys()), "{:#?}\n{:#?}", arrived.keys(), sent.keys());
}

const HALF_DONE: [&str; 9] = [
    // An account has its address, its entry in the log, its mail and the token in it.
    "with rows as (
        select user_id, 'user' as what from data.users
        union all select user_id, 'address' from data.user_emails
        union all select user_id, 'entry' from data.audit_events where kind = 'sign_up'
        union all select user_id, 'mail' from data.outbox where kind = 'verify'
        union all select user_id, 'token' from data.mail_tokens where kind = 'verify'
    ) select format('the account %s has %s', user_id, string_agg(what, ', '))
    from rows group by user_id having count(*) <> 5 or count(distinct what) <> 5",
    // A session has the entry that says how it began, and an entry its session.
    "select format('the session %s/%s began with the entry %s', s.id, a.session_id, a.sequence)
    from data.sessions s
    full join (select * from data.audit_events where kind in ('sign_up', 'sign_in')) a
        on a.user_id = s.user_id and a.session_id = s.id and a.created_at = s.created_at
    where s.id is null or a.session_id is null",
    // Verifiers are told of it if and only if it ended, and once.
    "select format('the session %s ended at %s and is told as event %s', s.id, s.ended_at, e.rev)
    from (select * from data.sessions where ended_at is not null) s
    full join (select * from data.trust_events where kind = 'session') e
        on e.subject_id = s.user_id and e.session_id = s.id and e.not_before = s.ended_at
    where s.id is null or e.rev is null",
    "select format('%s events end at %s', count(*), max(h.head_rev))
    from data.trust_events e cross join data.trust_head h
    having count(*) <> max(h.head_rev) or count(*) <> count(distinct e.rev)",
    // It ended for one reason, which is in the log.
    "select format('the session %s ended for %s reasons', s.id, count(a.sequence))
    from data.sessions s
    left join data.audit_events a on a.user_id = s.user_id and a.created_at = s.ended_at and (
        a.kind = 'sign_out' and a.session_id = s.id
        or a.kind in ('password.changed', 'password.reset') and a.session_id is distinct from s.id)
    where s.ended_at is not null
    group by s.user_id, s.id having count(a.sequence) <> 1",
    // With that entry every session ended that it ends.
    "select format('the session %s outlived the entry %s, %s', s.id, a.sequence, a.kind)
    from data.audit_events a
    join data.sessions s on s.user_id = a.user_id and s.created_at < a.created_at
        and coalesce(s.ended_at, 'infinity') > a.created_at
    where a.kind = 'sign_out' and a.session_id = s.id
        or a.kind in ('password.changed', 'password.reset') and a.session_id is distinct from s.id",
    // The owner is told of a new password, and a token that set one is used up.
    "with rows as (
        select user_id, created_at as at, kind from data.audit_events
            where kind in ('password.changed', 'password.reset')
        union all select user_id, created_at, 'mail' from data.outbox
            where kind = 'password-changed'
        union all select user_id, used_at, 'token' from data.mail_tokens
            where kind = 'reset' and used_at is not null
    ) select format('of the password that %s set at %s there is %s',
        user_id, at, string_agg(kind, ', ' order by kind))
    from rows group by user_id, at
    having string_agg(kind, ', ' order by kind)
        not in ('mail, password.changed', 'mail, password.reset, token')",
    // An address is verified by a token, which is used up by it, or by a reset.
    "with rows as (
        select user_id, created_at as at from data.audit_events where kind = 'email.verified'
        union all select user_id, used_at from data.mail_tokens
            where kind = 'verify' and used_at is not null
    ) select format('the address of %s was verified at %s by half', user_id, at)
    from rows group by user_id, at having count(*) <> 2
    union all
    select format('the address of %s is verified: %s', u.user_id, u.email_verified)
    from data.users u where u.email_verified <> exists (
        select from data.audit_events a where a.user_id = u.user_id
            and a.kind in ('email.verified', 'password.reset'))",
    // What was asked for by mail has its token; a key that was ordered, its entry.
    "with rows as (
        select user_id, created_at as at from data.outbox where kind = 'reset'
        except select user_id, created_at from data.mail_tokens where kind = 'reset'
    ) select format('the mail to %s of %s has no token', user_id, at) from rows
    union all
    select format('%s keys were ordered, of which %s are in the log', keys.count, entries.count)
    from (select count(*) from data.signing_keys where hurried) keys,
        (select count(*) from data.audit_events where kind = 'admin.signing_key.rotated') entries
    where keys.count <> entries.count",
];
