//! How verifiers are told of keys and revocations.

use std::time::Duration;

use chrono::TimeDelta;
use shared::{config::duration, verify::LEEWAY_SECONDS};

use crate::trust_feed::{Limits, Settings};

/// The settings of the trust feed.
#[derive(Clone, Debug, clap::Args)]
pub struct Trust {
    /// How often verifiers fetch the keys that do not watch the trust feed
    /// (TASK_KEYS_REFRESH); a key that somebody ordered signs after twice that
    /// at the latest.
    #[arg(long, env = "AUTH_KEYS_REFRESH", default_value = "60s", value_parser = duration)]
    pub keys_refresh: Duration,
    /// How often the database is asked what verifiers are to be told, if nobody
    /// said so sooner.
    #[arg(long, env = "AUTH_TRUST_POLL", default_value = "1s", value_parser = duration)]
    pub trust_poll: Duration,
    /// Verifiers that may watch the trust feed of one replica.
    #[arg(long, env = "AUTH_MAX_TRUST_WATCHERS", default_value_t = 1000)]
    pub max_trust_watchers: usize,
    /// Verifiers that may watch it with tokens of one service account.
    #[arg(long, env = "AUTH_MAX_TRUST_WATCHERS_PER_ACCOUNT", default_value_t = 200)]
    pub max_trust_watchers_per_account: usize,
}

impl Trust {
    pub(super) fn faults(&self, key_lead: Duration) -> impl Iterator<Item = String> {
        let seconds = Duration::from_secs;
        [
            (
                self.keys_refresh.is_zero() || self.keys_refresh * 2 > key_lead,
                "AUTH_KEYS_REFRESH must be more than 0s and at most half of AUTH_KEY_LEAD",
            ),
            (
                !(Duration::from_millis(50)..=seconds(1)).contains(&self.trust_poll),
                "AUTH_TRUST_POLL must be between 50ms and 1s",
            ),
            (self.max_trust_watchers == 0, "AUTH_MAX_TRUST_WATCHERS must not be 0"),
            (
                self.max_trust_watchers_per_account == 0,
                "AUTH_MAX_TRUST_WATCHERS_PER_ACCOUNT must not be 0",
            ),
        ]
        .into_iter()
        .filter(|(bad, _)| *bad)
        .map(|(_, fault)| fault.to_owned())
    }

    /// How the feed is run where tokens live so long.
    #[must_use]
    pub fn feed(&self, token_lifetime: Duration) -> Settings {
        let delta = |time| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        Settings {
            limits: Limits {
                per_account: self.max_trust_watchers_per_account,
                in_total: self.max_trust_watchers,
            },
            poll: delta(self.trust_poll),
            // The clocks of who issues and who verifies may differ.
            outlived: delta(token_lifetime) + TimeDelta::seconds(2 * LEEWAY_SECONDS),
        }
    }
}
