//! How replicas tell each other that a user's head moved. Hints, which may come
//! late, twice or never: one LISTEN per replica, one flusher that sends what
//! was committed since it last did. And what correctness rests on instead: now
//! and then the database is asked for the heads of the users being watched.
//!
//! Invariant: a hint names a user and a number and nothing else, and none is
//! sent within a transaction that writes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use shared::{
    clock::Clock,
    database::{
        Database,
        hints::{self, Speaker},
    },
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{changes, hub::Hub};
use crate::error::Error;

/// Where hints are said.
const CHANNEL: &str = "heads";
/// How long hints are gathered.
const PACE: Duration = Duration::from_millis(10);
/// Hints in one message: 53 bytes each, and Postgres takes 7,999.
const HINTS: usize = 150;
/// Users with a hint waiting to be said; more are left to the others' looking.
const MAX_WAITING: usize = 100_000;
/// Users per look, so that none takes long.
const USERS: usize = 1_000;

/// One replica's end of it.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    waiting: Mutex<HashMap<Uuid, i64>>,
    filled: Notify,
}

impl Relay {
    /// Has the other replicas told that the user's head is `head`.
    pub(crate) fn tell(&self, user: Uuid, head: i64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING || waiting.contains_key(&user) {
            let newest = waiting.entry(user).or_insert(head);
            *newest = head.max(*newest);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Says what is waiting to be said, for ever.
    pub(crate) async fn speak(&self, database: &Database) {
        let mut speaker = Speaker::new(database, CHANNEL);
        loop {
            self.filled.notified().await;
            tokio::time::sleep(PACE).await;
            let hints =
                std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            speaker.say(&payloads(hints)).await;
        }
    }

    /// Hears what other replicas say, for ever.
    pub(crate) async fn listen(hub: &Hub, database: &Database) {
        let missed = async || {
            if let Err(error) = look(hub, database).await {
                tracing::debug!(%error, "The heads could not be asked for; the next look does it.");
            }
        };
        let heard = |said: &str| {
            for (user, head) in hints(said) {
                hub.raise(user, head);
            }
        };
        hints::listen(database, CHANNEL, missed, heard).await;
    }

    /// Asks for the heads of the users being watched every `interval`, for ever.
    pub(crate) async fn look_often(
        hub: &Hub,
        database: &Database,
        clock: &dyn Clock,
        interval: Duration,
    ) {
        let interval = TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX);
        loop {
            clock.sleep_until(clock.now() + interval).await;
            if let Err(error) = look(hub, database).await {
                tracing::warn!(%error, "The heads of those being watched could not be asked for.");
            }
        }
    }
}

/// Asks once.
async fn look(hub: &Hub, database: &Database) -> Result<(), Error> {
    let before = hub.heads();
    for before in before.chunks(USERS) {
        let users: Vec<Uuid> = before.iter().map(|(user, _)| *user).collect();
        let heads: HashMap<_, _> = changes::heads(database, &users).await?.into_iter().collect();
        for (user, before) in before {
            hub.looked(*user, *before, heads.get(user).copied().unwrap_or(0));
        }
    }
    Ok(())
}

/// Hints as they are said: `{user}:{head}`, separated by commas.
fn payloads(hints: HashMap<Uuid, i64>) -> Vec<String> {
    let hints: Vec<String> =
        hints.iter().map(|(user, head)| format!("{}:{head}", user.as_simple())).collect();
    hints.chunks(HINTS).map(|hints| hints.join(",")).collect()
}

/// Hints as they are heard. What is none is passed over.
fn hints(payload: &str) -> impl Iterator<Item = (Uuid, i64)> {
    payload.split(',').filter_map(|hint| {
        let (user, head) = hint.split_once(':')?;
        Some((Uuid::try_parse(user).ok()?, head.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use shared::rng;

    use super::*;

    #[test]
    fn hints_are_heard_as_they_are_said_and_fit_into_messages() {
        let said: HashMap<Uuid, i64> = (0..400).map(|_| (rng::uuid_v4(), i64::MAX)).collect();
        let payloads = payloads(said.clone());
        assert_eq!(payloads.len(), 3);
        assert!(payloads.iter().all(|payload| payload.len() <= 7_999));
        let heard: HashMap<_, _> = payloads.iter().flat_map(|payload| hints(payload)).collect();
        assert_eq!(heard, said);
    }

    #[test]
    fn what_is_no_hint_is_passed_over() {
        let user = rng::uuid_v4();
        let payload = format!(",:,x:1,{user}:x,{user},{user}:7");
        assert_eq!(hints(&payload).collect::<Vec<_>>(), [(user, 7)]);
    }
}
