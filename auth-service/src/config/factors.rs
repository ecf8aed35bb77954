//! The settings of second factors, and of how often people are asked who they
//! are.

use std::time::Duration;

use clap::Args;
use shared::config::duration;

/// Second factors, and proving again who one is.
#[derive(Clone, Debug, Args)]
pub struct SecondFactors {
    /// What authenticator apps and passkeys call this service; without a colon.
    #[arg(long, env = "AUTH_TOTP_ISSUER", default_value = "Duet")]
    pub totp_issuer: String,
    /// How long ago somebody may have proved who they are who wants to do what
    /// could cost the account.
    #[arg(long, env = "AUTH_MAX_AUTH_AGE", default_value = "10m", value_parser = duration)]
    pub max_auth_age: Duration,
}

impl SecondFactors {
    /// Everything that is wrong with them.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let issuer = &self.totp_issuer;
        if issuer.is_empty() || issuer.len() > 64 || issuer.contains(':') {
            faults.push("AUTH_TOTP_ISSUER must have 1 to 64 bytes and no colon".to_owned());
        }
        let (least, most) = (Duration::from_secs(30), Duration::from_secs(86_400));
        if !(least..=most).contains(&self.max_auth_age) {
            faults.push("AUTH_MAX_AUTH_AGE must be between 30s and 1d".to_owned());
        }
        faults
    }
}
