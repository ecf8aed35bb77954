//! What tests of any service need: a database of their own on a throw-away
//! Postgres or a whole one that crashes, a folder, a service that is killed, a clock moved
//! by hand, chance that a seed decides, an issuer whose keys they hold and tokens
//! that nobody may believe, a proxy that counts statements. Only with the feature
//! `testing`.
//!
//! Invariant: a test gets the role of the service, never a superuser's; a
//! superuser sees through every isolation.

mod chance;
mod clock;
mod database;
mod folder;
pub mod hostile;
mod issuer;
mod logs;
mod postgres;
mod process;
mod schema;
mod statements;

pub use self::{
    chance::{Chance, seeds},
    clock::ManualClock,
    database::{TestDatabase, database},
    folder::folder,
    issuer::TestIssuer,
    logs::secrets_in,
    postgres::{Crash, TestPostgres},
    process::ServiceProcess,
    schema::{isolation_faults, shard_faults},
    statements::StatementCounter,
};

use std::{future::Future, time::Duration};

/// How long `eventually` waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that happens in the background, by looking again and
/// again, and fails the test if it does not happen.
///
/// # Panics
/// If `what` has not happened after 20 seconds.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub async fn eventually<F: Future<Output = bool>>(what: &str, happened: impl Fn() -> F) {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        loop {
            look.tick().await;
            if happened().await {
                return;
            }
        }
    };
    if tokio::time::timeout(PATIENCE, wait).await.is_err() {
        panic!("this did not happen within {PATIENCE:?}: {what}");
    }
}
