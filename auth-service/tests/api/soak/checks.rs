//! What must be true of the rows, whoever was killed in the middle of whatever:
//! every change is there as a whole or not at all, and mail arrives.

use std::collections::{BTreeMap, HashSet};

use auth_service::{audit, deletion};
use chrono::TimeDelta;
use shared::{
    clock::{Clock as _, SystemClock},
    database::Database,
    testing::eventually,
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{fleet::Fleet, half_done::HALF_DONE};

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

/// Removes what calls wrote of deleted accounts that ran beside the deletion; then
/// no row names any of them, but what says that they were deleted.
pub(super) async fn forget(fleet: &Fleet) {
    let own = Database::new(fleet.database.app.clone(), 1);
    // No call goes on for so long.
    let later = SystemClock.now() + TimeDelta::minutes(2);
    deletion::sweep(&own, later).await.expect("it is swept");
    own.close().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where schemaname = 'data'
            and tablename not in ('deletions', 'erasures', 'trust_events')",
    )
    .fetch_all(&fleet.rows)
    .await
    .expect("there are tables");
    for table in tables {
        let left = AssertSqlSafe(format!(
            "select t::text from data.{table} t, data.deletions d
                where position(d.user_id::text in t::text) > 0"
        ));
        let left: Vec<String> =
            sqlx::query_scalar(left).fetch_all(&fleet.rows).await.expect("it is read");
        assert_eq!(left, Vec::<String>::new(), "is left of somebody in {table}");
    }
}

/// The sessions and users whose tokens are good no more, in the order of commits.
pub(super) async fn revoked(fleet: &Fleet) -> Vec<String> {
    let told = "select format('users/%s', subject_id) || coalesce('/sessions/' || session_id, '')
        from data.trust_events where kind in ('session', 'user') order by rev";
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

/// Waits until all mail has left; then each has arrived, at least once and not more
/// often than it was tried, and each time as the same to the byte. Of mails to
/// addresses of deleted accounts, `gone`, nothing is stored but that the deletion was
/// told.
pub(super) async fn assert_mailed(fleet: &Fleet, gone: &HashSet<String>) {
    let left = "select not exists (
            select from data.outbox where kind <> 'none' and sent_at is null)";
    eventually("all mail has left", async || {
        fleet.end_leases().await;
        sqlx::query_scalar(left).fetch_one(&fleet.rows).await.expect("the outbox is read")
    })
    .await;
    // A lease is counted before anything is sent, so the mails are looked at first.
    let mails = fleet.mails.mails();
    let sent = "select id, recipient, attempts from data.outbox where kind <> 'none'";
    let sent: Vec<(Uuid, String, i64)> =
        sqlx::query_as(sent).fetch_all(&fleet.rows).await.expect("the outbox is read");
    let sent: BTreeMap<String, (String, i64)> = sent
        .into_iter()
        .map(|(id, recipient, attempts)| (format!("<{id}@mail.test>"), (recipient, attempts)))
        .collect();
    let mut arrived = BTreeMap::new();
    for mail in mails {
        let id = mail.header("Message-ID").expect("every mail has one");
        match sent.get(&id).map_or("", |(recipient, _)| recipient) {
            "" => assert!(mail.to.iter().all(|to| gone.contains(to)), "{id} is of the outbox"),
            recipient => assert_eq!(mail.to, [recipient], "{id} is of the outbox"),
        }
        let (first, copies) = arrived.entry(id).or_insert_with(|| (mail.clone(), 0));
        *copies += 1;
        assert_eq!(*first, mail, "to the byte");
    }
    for (id, (_, attempts)) in &sent {
        let copies = arrived.get(id).map_or(0, |(_, copies)| *copies);
        assert!((1..=*attempts).contains(&copies), "{id}: {copies} of {attempts} attempts");
    }
}
