//! The background task that keeps the keys of a verifier fresh by fetching them:
//! at start, once per refresh interval, and when a token names a key that is not
//! known, at most every ten seconds for all callers together.
//!
//! Invariant: while a feed tells the keys nothing is fetched, and nothing that
//! was fetched replaces what the feed told.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{KeySource, Trust};
use crate::{clock::SharedClock, jwk::Jwk};

/// The shortest time between two fetches that unknown keys asked for.
const WANTED_INTERVAL: TimeDelta = TimeDelta::seconds(10);
/// How many failures in a row are told to the operator, once.
const LOUD_AFTER: u32 = 3;
/// Pauses after a failed fetch: the first, and the longest that they grow to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(2));

/// Keeps a `Trust` fresh.
pub struct Keeper {
    /// What to keep fresh.
    pub trust: Trust,
    /// Where the keys come from.
    pub source: Box<dyn KeySource>,
    /// How often they are fetched.
    pub refresh: Duration,
    /// A file that remembers them over a restart. They are no secrets.
    pub cache: Option<PathBuf>,
    /// By which time.
    pub clock: SharedClock,
}

/// What the cache file holds.
#[derive(Serialize, Deserialize)]
struct Remembered {
    fetched_at: DateTime<Utc>,
    keys: Vec<Jwk>,
}

impl Keeper {
    /// Keeps the trust fresh until it is dropped.
    pub async fn run(self) {
        if let Some(path) = &self.cache {
            self.recall(path);
        }
        let mut failures = 0;
        loop {
            let asked_at = self.clock.now();
            match self.source.fetch().await.and_then(|keys| self.take(&keys)) {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!(failures, "The signing keys can be fetched again.");
                    }
                    failures = 0;
                    self.wait(asked_at).await;
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    // At the start of the pair auth-service may be the slower one,
                    // and an outage needs no line for every attempt.
                    if failures == LOUD_AFTER {
                        tracing::warn!(error, "The signing keys cannot be fetched; trying again.");
                    } else {
                        tracing::debug!(error, "The signing keys cannot be fetched.");
                    }
                    tokio::time::sleep((PAUSES.0 * 2_u32.pow(failures.min(8))).min(PAUSES.1)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    fn take(&self, keys: &[Jwk]) -> anyhow::Result<()> {
        anyhow::ensure!(
            keys.iter().any(|key| key.verifying().is_some()),
            "the key set has no key that can be used"
        );
        if self.trust.fetched(keys, self.clock.now()) {
            self.remember();
        }
        Ok(())
    }

    /// Waits for the next fetch to be due, by the interval or by being wanted,
    /// and for no feed to be there.
    async fn wait(&self, mut since: DateTime<Utc>) {
        let refresh = TimeDelta::from_std(self.refresh).unwrap_or(TimeDelta::MAX);
        loop {
            let wanted = async {
                self.trust.0.wanted.notified().await;
                self.clock.sleep_until(since + WANTED_INTERVAL).await;
            };
            tokio::select! {
                () = self.clock.sleep_until(since + refresh) => {}
                () = wanted => {}
            }
            if !self.trust.is_fed() {
                return;
            }
            self.remember();
            since = self.clock.now();
        }
    }

    fn remember(&self) {
        if let Some(path) = &self.cache
            && let Some((keys, fetched_at)) = self.trust.published()
            && let Err(error) = remember(path, &Remembered { fetched_at, keys })
        {
            let error = format!("{error:#}");
            tracing::warn!(error, "The signing keys cannot be remembered for a restart.");
        }
    }

    fn recall(&self, path: &Path) {
        let read =
            || -> anyhow::Result<Remembered> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
        match read() {
            Ok(Remembered { fetched_at, keys }) => {
                // A file from the future would be trusted for too long.
                self.trust.set(&keys, fetched_at.min(self.clock.now()));
            }
            Err(error) => tracing::debug!(%error, "No signing keys are remembered."),
        }
    }
}

fn remember(path: &Path, remembered: &Remembered) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, serde_json::to_vec(remembered)?)
        .with_context(|| format!("cannot write {}", temporary.display()))?;
    std::fs::rename(&temporary, path)?;
    Ok(())
}
