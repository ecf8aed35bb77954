//! How many attempts are let through, and how long the next has to wait.

use std::time::Duration;

use serde::Serialize;

/// How attempts are let through; `data.throttle_after` applies it. Times are in
/// seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rule {
    /// Attempts that need not wait for each other.
    free: u32,
    /// After this time one attempt is forgotten; where waits grow, none while one lasts.
    forget: f64,
    /// How long the next has to wait at first, doubling; if absent, until one is
    /// forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<f64>,
    /// The longest that it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<f64>,
}

impl Rule {
    /// `free` attempts; then ever longer waits, that end by themselves.
    #[must_use]
    pub fn growing(free: u32, forget: Duration, first: Duration, most: Duration) -> Self {
        let [forget, first, most] = [forget, first, most].map(|time| time.as_secs_f64());
        Self { free, forget, first: Some(first), most: Some(most) }
    }

    /// `free` attempts in a period.
    #[must_use]
    pub fn steady(free: u32, period: Duration) -> Self {
        let forget = period.as_secs_f64() / f64::from(free.max(1));
        Self { free, forget, first: None, most: None }
    }

    /// The same, but with waits that grow, up to `most`, for whoever goes on all the
    /// same.
    #[must_use]
    pub fn growing_to(self, most: Duration) -> Self {
        let first = self.forget;
        Self { first: Some(first), most: Some(most.as_secs_f64().max(first)), ..self }
    }
}
