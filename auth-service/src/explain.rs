//! Why a token is refused, told to an operator: the wire never says. The
//! verifier itself is asked, by the keys in the database, and then the database
//! whether what the token lives with is still there.
//!
//! Invariant: neither the token nor the e-mail in it is ever told, and what it
//! says of itself is told as a quotation, cut to a line.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use shared::{
    clock::SharedClock,
    database::{Database, Repeat},
    jwk::Jwk,
    trust::Trust,
    verify::{MAX_TOKEN_BYTES, Refusal, Rules, Verifier},
};

use crate::{error::Error, service_accounts::admission};

/// The checks of the verifier in their order, each with what it says when it
/// refuses. The last two refuse in ways of their own.
const CHECKS: [(&str, &[&str]); 15] = [
    ("size", &["longer than 4 KiB"]),
    ("form", &["not a JWS"]),
    ("header", &["header", "a header that is never accepted"]),
    ("type", &["not an access token by its typ"]),
    ("key", &["unknown kid"]),
    ("algorithm", &["not the key's algorithm"]),
    ("signature", &["signature"]),
    ("claims", &["claims"]),
    ("issuer", &["issuer"]),
    ("audience", &["audience"]),
    ("lifetime", &["lifetime"]),
    ("issue", &["issued in the future"]),
    ("beginning", &["not good yet"]),
    (EXPIRY, &[]),
    (LIFE, &[]),
];
const EXPIRY: &str = "expiry";
const LIFE: &str = "session";

/// The longest quotation of a token, in characters.
const QUOTED: usize = 80;

/// How a token fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation(Vec<Line>);

/// How it fared with one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The check.
    pub check: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was looked at.
    pub detail: String,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It fails.
    Fails,
    /// One before it failed.
    NotReached,
}

impl Explanation {
    /// The check that fails; none if the token is accepted.
    #[must_use]
    pub fn failed(&self) -> Option<&Line> {
        self.0.iter().find(|line| line.outcome == Outcome::Fails)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { check, outcome, detail } in &self.0 {
            let outcome = match outcome {
                Outcome::Holds => "holds",
                Outcome::Fails => "FAILS",
                Outcome::NotReached => "-",
            };
            writeln!(f, "{}", format!("{outcome:<5}  {check:<9}  {detail}").trim_end())?;
        }
        match self.failed() {
            None => write!(f, "The token is accepted."),
            Some(line) => write!(f, "The token is refused: {}.", line.check),
        }
    }
}

/// Tells how `token` fares with a verifier that has these rules.
///
/// # Errors
/// Those of the database.
pub async fn explain(
    database: &Database,
    rules: Rules,
    token: &str,
    clock: SharedClock,
) -> Result<Explanation, Error> {
    let now = clock.now();
    let keys = keys(database).await?;
    let trust = Trust::new(Duration::MAX);
    trust.set(&keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), now);
    let said = Said::by(token);
    let details = CHECKS.map(|(check, _)| said.detail(check, &rules, &keys, now));
    let verified = Verifier::new(rules, trust, clock).verify(token);
    let lives = match &verified {
        Ok(token) => admission::token_lives(database, token, now).await?,
        Err(_) => false,
    };
    let failed = match verified.as_deref() {
        Ok(_) if lives => None,
        Ok(_) => position(LIFE),
        Err(Refusal::Expired) => position(EXPIRY),
        Err(Refusal::Revoked) => position(LIFE),
        // The database has no keys.
        Err(Refusal::NoKeys) => position("key"),
        Err(Refusal::Invalid(why)) => CHECKS.iter().position(|(_, says)| says.contains(why)),
    };
    if let (Err(Refusal::Invalid(why)), None) = (&verified, failed) {
        return Err(Error::Impossible(format!("a token that the verifier finds {why}")));
    }
    let lines = CHECKS.iter().zip(details).enumerate().map(|(n, ((check, _), detail))| Line {
        check,
        outcome: match failed {
            Some(failed) if n == failed => Outcome::Fails,
            Some(failed) if n > failed => Outcome::NotReached,
            _ => Outcome::Holds,
        },
        detail,
    });
    Ok(Explanation(lines.collect()))
}

fn position(check: &str) -> Option<usize> {
    CHECKS.iter().position(|(name, _)| *name == check)
}

/// What a token says of itself, believed or not.
struct Said {
    bytes: usize,
    header: Value,
    payload: Value,
}

impl Said {
    fn by(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok();
            bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
        });
        let mut next = || parts.next().unwrap_or(Value::Null);
        Self { bytes: token.len(), header: next(), payload: next() }
    }

    /// What a check looks at, and what it asks for.
    fn detail(
        &self,
        check: &str,
        rules: &Rules,
        keys: &[(Jwk, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> String {
        let [header, payload] = [&self.header, &self.payload];
        match check {
            "size" => format!("{} bytes of at most {MAX_TOKEN_BYTES}", self.bytes),
            "header" => format!("members {}", members(header)),
            "type" => quoted(header, "typ"),
            "key" => {
                let known = keys.iter().find(|(key, _)| header["kid"] == key.kid.as_str());
                let is = match known {
                    None => "not among the keys of this service".to_owned(),
                    Some((_, activates_at)) => format!("signs from {} on", time(*activates_at)),
                };
                format!("{}, {is}", quoted(header, "kid"))
            }
            "algorithm" => quoted(header, "alg"),
            "claims" => format!("members {}", members(payload)),
            "issuer" => format!("{}, wanted \"{}\"", quoted(payload, "iss"), rules.issuer),
            "audience" => format!("{}, wanted \"{}\"", quoted(payload, "aud"), rules.audience),
            "lifetime" => {
                let seconds = payload["exp"].as_i64().zip(payload["iat"].as_i64());
                let seconds = seconds.and_then(|(exp, iat)| exp.checked_sub(iat));
                let said = seconds.map_or("none".to_owned(), |seconds| format!("{seconds} s"));
                format!("{said}, at most {} s", rules.max_lifetime.as_secs())
            }
            "issue" => moment(payload, "iat", now),
            "beginning" => moment(payload, "nbf", now),
            EXPIRY => moment(payload, "exp", now),
            LIFE => {
                let of = ["sub", "sid", "client_id"].map(|member| quoted(payload, member));
                format!("of {}", of.join(", "))
            }
            _ => String::new(),
        }
    }
}

/// A member as it stands there, on one line and not too long.
fn quoted(of: &Value, member: &str) -> String {
    match of.get(member) {
        None => format!("no {member}"),
        Some(value) => {
            let text = value.to_string();
            let text: String = text.chars().take(QUOTED).flat_map(escaped).collect();
            format!("{member} {text}")
        }
    }
}

fn members(of: &Value) -> String {
    let names = of.as_object().into_iter().flat_map(|object| object.keys());
    let names: Vec<String> =
        names.take(32).map(|name| name.chars().take(16).flat_map(escaped).collect()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(" ") }
}

/// A character that could steer a terminal becomes one that cannot.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let plain = c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    let (as_is, escaped) = if plain { (Some(c), None) } else { (None, Some(c.escape_unicode())) };
    as_is.into_iter().chain(escaped.into_iter().flatten())
}

fn moment(of: &Value, member: &str, now: DateTime<Utc>) -> String {
    let then = of[member].as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    then.map_or_else(
        || quoted(of, member),
        |then| {
            let (seconds, when) = match (now - then).num_seconds() {
                ago @ 0.. => (ago, "ago"),
                ahead => (-ahead, "ahead"),
            };
            format!("{member} {}, {seconds} s {when}", time(then))
        },
    )
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The public keys that the database has, and since when each signs.
async fn keys(database: &Database) -> Result<Vec<(Jwk, DateTime<Utc>)>, Error> {
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select public_key as "public_key!", activates_at as "activates_at!"
            from api.signing_keys()"#
        )
        .fetch_all(&mut *connection)
        .await
    });
    let read = |key| {
        serde_json::from_value(key).map_err(|_| Error::Impossible("a key that is none".to_owned()))
    };
    rows.await?.into_iter().map(|row| Ok((read(row.public_key)?, row.activates_at))).collect()
}
