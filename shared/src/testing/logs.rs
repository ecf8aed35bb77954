//! Logs hold no secret: whatever any test of a process logged is looked through
//! whenever one of its databases is dropped.

use crate::telemetry;

/// What secrets of tests look like: their password, the payload of a JWT, a
/// refresh token, the link of a mail, a challenge, what an authenticator is told,
/// a password's hash, a private key. Each has a character that no base64url has,
/// so that no random key id looks like one.
const CANARIES: [&str; 8] =
    ["walnut-Trombone", ".eyJ", "rt1.", "#token=", "dc1.", "otpauth:", "$argon2", "PRIVATE KEY"];

/// The lines of a log that hold a secret.
#[must_use]
pub fn secrets_in(log: &str) -> Vec<&str> {
    log.lines().filter(|line| CANARIES.iter().any(|canary| line.contains(canary))).collect()
}

/// Fails the test if this process has logged a secret.
pub(super) fn assert_clean() {
    if !std::thread::panicking() {
        let log = telemetry::capture().text();
        let secrets = secrets_in(&log);
        assert!(secrets.is_empty(), "secrets in the log: {secrets:#?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_log_is_found() {
        let log = "good\nbearer eyJhbGciOi.eyJpc3MiOi\nkid=Jh1keyJmf\nhash=$argon2id$v=19";
        assert_eq!(secrets_in(log).len(), 2);
    }
}
