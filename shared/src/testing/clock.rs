//! A clock that stands still until a test moves it.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use crate::clock::{Clock, SharedClock};

/// A clock moved by hand. Clones show the same time.
#[derive(Clone)]
pub struct ManualClock(Arc<watch::Sender<DateTime<Utc>>>);

impl ManualClock {
    /// A clock that stands at noon of 20 January 2026.
    #[must_use]
    pub fn new() -> Self {
        let start = DateTime::from_timestamp(1_768_910_400, 0).unwrap_or_default();
        Self(Arc::new(watch::Sender::new(start)))
    }

    /// Moves the clock on. Whoever waits for a time that has come goes on.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += TimeDelta::from_std(by).unwrap_or_default());
    }

    /// The clock as a service wants it.
    #[must_use]
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut times = self.0.subscribe();
        Box::pin(async move {
            // The sender lives as long as we are borrowed.
            let _ = times.wait_for(|now| *now >= at).await;
        })
    }
}
