//! The settings of what keeps guessing and flooding slow: throttles of sign-ins
//! and sign-ups, known devices, sessions of a user. What they mean is in
//! `throttle.rs`.

use std::time::Duration;

use clap::Args;
use shared::{config::duration, server::Network};

use crate::throttle::{Rule, Throttles};

/// The longest period of any of these settings.
const YEARS: Duration = Duration::from_secs(3650 * 86400);

/// What keeps guessing and flooding slow.
#[derive(Clone, Debug, Args)]
pub struct Abuse {
    /// Networks of proxies, separated by commas, whose X-Forwarded-For says
    /// where a call comes from: 10.0.0.0/8. Without it everybody behind a proxy
    /// shares the limits, and the waits, of one address.
    #[arg(long, env = "AUTH_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Wrong passwords for one e-mail, or on one known device, after which the
    /// next has to wait. All known devices of a user have four times as many.
    #[arg(long, env = "AUTH_SIGN_IN_FREE_ATTEMPTS", default_value_t = 5)]
    pub sign_in_free_attempts: u32,
    /// How long it has to wait. Every further wrong password doubles that.
    #[arg(long, env = "AUTH_SIGN_IN_DELAY", default_value = "1s", value_parser = duration)]
    pub sign_in_delay: Duration,
    /// The longest that it has to wait, or an address.
    #[arg(long, env = "AUTH_SIGN_IN_MAX_DELAY", default_value = "15m", value_parser = duration)]
    pub sign_in_max_delay: Duration,
    /// After this time without a wait one wrong password is forgotten, and then
    /// the next.
    #[arg(long, env = "AUTH_SIGN_IN_FORGET", default_value = "15m", value_parser = duration)]
    pub sign_in_forget: Duration,
    /// Sign-ins from one address (an IPv6 /64 counting as one) that may fail
    /// within AUTH_SIGN_IN_PERIOD. The next has to wait for that period divided
    /// by this number, and every further one twice as long, up to
    /// AUTH_SIGN_IN_MAX_DELAY.
    #[arg(long, env = "AUTH_SIGN_IN_PER_ADDRESS", default_value_t = 100)]
    pub sign_in_per_address: u32,
    /// See AUTH_SIGN_IN_PER_ADDRESS.
    #[arg(long, env = "AUTH_SIGN_IN_PERIOD", default_value = "10m", value_parser = duration)]
    pub sign_in_period: Duration,
    /// Sign-ups from one address within AUTH_SIGN_UP_PERIOD, and as many mails
    /// that are asked for to set a password.
    #[arg(long, env = "AUTH_SIGN_UP_PER_ADDRESS", default_value_t = 20)]
    pub sign_up_per_address: u32,
    /// See AUTH_SIGN_UP_PER_ADDRESS.
    #[arg(long, env = "AUTH_SIGN_UP_PERIOD", default_value = "1h", value_parser = duration)]
    pub sign_up_period: Duration,
    /// Refused sign-ins that one account's audit log takes in a minute.
    #[arg(long, env = "AUTH_AUDITED_REFUSALS", default_value_t = 10)]
    pub audited_refusals: u32,
    /// How long a device is known after a sign-in.
    #[arg(long, env = "AUTH_DEVICE_TTL", default_value = "365d", value_parser = duration)]
    pub device_ttl: Duration,
    /// Sessions of one user; one more ends the oldest.
    #[arg(long, env = "AUTH_MAX_SESSIONS", default_value_t = 100)]
    pub max_sessions: u32,
}

impl Abuse {
    /// What is wrong with them.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, number) in [
            ("AUTH_SIGN_IN_FREE_ATTEMPTS", self.sign_in_free_attempts),
            ("AUTH_SIGN_IN_PER_ADDRESS", self.sign_in_per_address),
            ("AUTH_SIGN_UP_PER_ADDRESS", self.sign_up_per_address),
            ("AUTH_MAX_SESSIONS", self.max_sessions),
        ] {
            if number == 0 {
                faults.push(format!("{name} must not be 0"));
            }
        }
        for (name, period) in [
            ("AUTH_SIGN_IN_DELAY", self.sign_in_delay),
            ("AUTH_SIGN_IN_MAX_DELAY", self.sign_in_max_delay),
            ("AUTH_SIGN_IN_FORGET", self.sign_in_forget),
            ("AUTH_SIGN_IN_PERIOD", self.sign_in_period),
            ("AUTH_SIGN_UP_PERIOD", self.sign_up_period),
            ("AUTH_DEVICE_TTL", self.device_ttl),
        ] {
            if !(Duration::from_secs(1)..=YEARS).contains(&period) {
                faults.push(format!("{name} must be between 1s and 3650d"));
            }
        }
        if self.sign_in_delay > self.sign_in_max_delay {
            faults.push("AUTH_SIGN_IN_DELAY must be at most AUTH_SIGN_IN_MAX_DELAY".to_owned());
        }
        faults
    }

    /// The throttles that they ask for.
    #[must_use]
    pub fn throttles(&self) -> Throttles {
        Throttles {
            account: Rule::growing(
                self.sign_in_free_attempts,
                self.sign_in_forget,
                self.sign_in_delay,
                self.sign_in_max_delay,
            ),
            devices: Rule::growing(
                self.sign_in_free_attempts.saturating_mul(4),
                self.sign_in_forget,
                self.sign_in_delay,
                self.sign_in_max_delay,
            ),
            address: Rule::steady(self.sign_in_per_address, self.sign_in_period)
                .growing_to(self.sign_in_max_delay),
            sign_up: Rule::steady(self.sign_up_per_address, self.sign_up_period),
            audited: self.audited_refusals.into(),
            device_ttl: self.device_ttl,
            max_sessions: self.max_sessions.into(),
        }
    }
}
