//! Throttles: how many sign-ins and sign-ups are let through, and when the next
//! one is. Their state is in Postgres, so replicas share it and restarts do not
//! reset it; it is keyed by MACs, so that it names neither people nor addresses.
//!
//! Invariant: a sign-in is counted in the same statement that finds the
//! password, before the password is checked. However many come at once, no more
//! are checked than the throttles allow, and right and wrong, known and unknown
//! are all the same statements.

mod rule;

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::database::{Database, Repeat};
use sqlx::types::Json;
use uuid::Uuid;

pub use self::rule::Rule;
use crate::{
    client::Client,
    device::DevicePass,
    email::Email,
    error::Error,
    factors::{KnownFactor, KnownRows},
    hashing::StoredPassword,
    mail::token::MailToken,
    sealing::Sealer,
    sessions::Caller,
};

/// How many throttles one statement removes.
const SWEPT_AT_ONCE: i64 = 1000;

/// What is let through, and what else bounds the use of accounts.
#[derive(Clone, Copy, Debug)]
pub struct Throttles {
    /// Sign-ins with one e-mail, or of one known device; the password that a
    /// signed-in user is asked for again; and those that a link sets.
    pub account: Rule,
    /// Sign-ins of all known devices of a user together.
    pub devices: Rule,
    /// Sign-ins from one address.
    pub address: Rule,
    /// Sign-ups from one address, and as many mails that anybody can ask for.
    pub sign_up: Rule,
    /// Refusals that the audit log of an account takes in a minute.
    pub audited: i64,
    /// How long a device is known.
    pub device_ttl: Duration,
    /// Sessions of a user.
    pub max_sessions: i64,
}

/// The rules as `api.begin_sign_in` reads them.
#[derive(Serialize)]
struct SignInRules {
    account: Rule,
    devices: Rule,
    address: Rule,
    audited: i64,
}

/// What is counted together: the MAC of what it is.
pub type Bucket = [u8; 32];

/// An attempt at a password that was counted and let through.
pub struct Attempt {
    /// Who the e-mail belongs to, and what the password must be; none if the
    /// e-mail is unknown.
    pub account: Option<(Uuid, StoredPassword)>,
    /// Whether the device was known, and is to be known by the same id again.
    pub device: Option<Uuid>,
    bucket: Bucket,
    /// What it was counted with besides: its address, or all known devices.
    shared: Option<Bucket>,
    /// What the audit log calls it if the password is wrong.
    refused: &'static str,
}

/// What the database does when a session is opened, besides, or a code is wrong;
/// part of what `data.settle_sign_in` and `data.cap_sessions` read.
#[derive(Clone, Debug, Serialize)]
pub struct Settlement {
    max_sessions: i64,
    audited: i64,
    bucket: Option<String>,
    shared: Option<String>,
}

impl Settlement {
    /// For a session that no sign-in was counted for.
    #[must_use]
    pub const fn uncounted(throttles: &Throttles) -> Self {
        let &Throttles { max_sessions, audited, .. } = throttles;
        Self { max_sessions, audited, bucket: None, shared: None }
    }

    /// For the session that this attempt succeeds with: it counts no longer.
    #[must_use]
    pub fn of(throttles: &Throttles, attempt: &Attempt) -> Self {
        Self {
            max_sessions: throttles.max_sessions,
            audited: throttles.audited,
            bucket: Some(hex(&attempt.bucket)),
            shared: attempt.shared.as_ref().map(hex),
        }
    }
}

/// Counts a sign-in, and finds the stored password of the account with this
/// e-mail. A known device is counted by itself and with the user's other ones:
/// what others do with the e-mail or at the address does not delay it.
///
/// # Errors
/// `Throttled`, and nothing was counted.
pub async fn begin_sign_in(
    database: &Database,
    throttles: &Throttles,
    sealer: &Sealer,
    email: &Email,
    pass: Option<DevicePass>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<Attempt, Error> {
    let canonical = &email.canonical();
    let account = sealer.tag("throttle: e-mail", canonical.as_bytes());
    let address = sealer.tag("throttle: sign-ins of an address", &network(client.address));
    let device = pass.map(|pass| sealer.tag("throttle: device", pass.device.as_bytes()));
    let devices = pass.map(|pass| sealer.tag("throttle: devices of a user", pass.user.as_bytes()));
    let rules = &Json(SignInRules {
        account: throttles.account,
        devices: throttles.devices,
        address: throttles.address,
        audited: throttles.audited,
    });
    let client = &client.json();
    let (account, address) = (&account, &address);
    let (device, devices) = (device.as_ref(), devices.as_ref());
    // Repeated after a lost answer it counts twice, which is to the safe side.
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select retry_after_ms, by_device as "by_device!", user_id, password_hash, pepper_id
            from api.begin_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"#,
            canonical,
            account.as_slice(),
            address.as_slice(),
            device.map(<[u8; 32]>::as_slice),
            devices.map(<[u8; 32]>::as_slice),
            pass.map(|pass| pass.user),
            pass.map(|pass| pass.issued_at),
            rules as _,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    if let Some(wait) = row.retry_after_ms {
        return Err(Error::Throttled(milliseconds(wait)));
    }
    let stored = row.password_hash.zip(row.pepper_id);
    let stored = stored.map(|(phc, pepper_id)| StoredPassword { phc, pepper_id });
    let known = device.zip(pass).filter(|_| row.by_device);
    Ok(Attempt {
        account: row.user_id.zip(stored),
        device: known.map(|(_, pass)| pass.device),
        bucket: *known.map_or(account, |(bucket, _)| bucket),
        shared: if known.is_some() { devices.copied() } else { Some(*address) },
        refused: "sign_in.refused",
    })
}

/// Counts an attempt at the caller's own password, whatever it is asked for, and
/// finds what is stored of it, and the factors that are asked for beside it.
///
/// # Errors
/// `SessionOver`; `Throttled`, and nothing was counted.
pub async fn begin_own_password(
    database: &Database,
    throttles: &Throttles,
    sealer: &Sealer,
    caller: &Caller,
) -> Result<(Attempt, StoredPassword, Vec<KnownFactor>), Error> {
    let &Caller { user, session, ref client, now } = caller;
    // By session: whoever has got hold of another one holds nobody up.
    let bucket = sealer.tag("throttle: own password", session.as_bytes());
    let (counted, rule, audited) = (&bucket, &Json(throttles.account), throttles.audited);
    let client = &client.json();
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select retry_after_ms, password_hash, pepper_id,
                factor_ids as ids, factor_kinds as kinds, factor_secrets as secrets
            from api.own_password($1, $2, $3, $4, $5, $6, $7)"#,
            user,
            session,
            counted.as_slice(),
            rule as _,
            audited,
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    let row = row.await?.ok_or(Error::SessionOver)?;
    if let Some(wait) = row.retry_after_ms {
        return Err(Error::Throttled(milliseconds(wait)));
    }
    let (Some(phc), Some(pepper_id)) = (row.password_hash, row.pepper_id) else {
        return Err(Error::Impossible("an account without a password".to_owned()));
    };
    let stored = StoredPassword { phc, pepper_id };
    let known = KnownRows {
        ids: row.ids.unwrap_or_default(),
        kinds: row.kinds.unwrap_or_default(),
        secrets: row.secrets.unwrap_or_default(),
    };
    let account = Some((user, stored.clone()));
    let attempt =
        Attempt { account, device: None, bucket, shared: None, refused: "password.refused" };
    Ok((attempt, stored, known.read()?))
}

/// Notes that the password of an attempt was wrong. Costs the same whether the
/// e-mail is known or not.
///
/// # Errors
/// Those of the database.
pub async fn refuse(
    database: &Database,
    throttles: &Throttles,
    attempt: &Attempt,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let user = attempt.account.as_ref().map(|(user, _)| *user);
    let (bucket, audited, client) = (attempt.bucket.as_slice(), throttles.audited, &client.json());
    let kind = attempt.refused;
    let noted = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            "select api.refuse_password($1, $2, $3, $4, $5, $6)",
            user,
            kind,
            bucket,
            audited,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    noted.await?;
    Ok(())
}

/// Counts a sign-up from the client's address.
///
/// # Errors
/// `RateLimited`, and it was not counted.
pub async fn begin_sign_up(
    database: &Database,
    throttles: &Throttles,
    sealer: &Sealer,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let address = sealer.tag("throttle: sign-ups of an address", &network(client.address));
    take_turn(database, &address, throttles.sign_up, now).await
}

/// What the mails that anybody can ask for are counted with: the client's address.
#[must_use]
pub fn mails_of_address(sealer: &Sealer, client: &Client) -> Bucket {
    sealer.tag("throttle: mails of an address", &network(client.address))
}

/// What passwords are counted with that somebody sets by a token.
#[must_use]
pub fn resets_by_token(sealer: &Sealer, token: &MailToken) -> Bucket {
    sealer.tag("throttle: resets by a token", &token.hash())
}

/// Counts one of whatever `bucket` stands for.
///
/// # Errors
/// `RateLimited`, and it was not counted.
pub async fn take_turn(
    database: &Database,
    bucket: &[u8; 32],
    rule: Rule,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (bucket, rule) = (bucket.as_slice(), &Json(rule));
    let wait = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!("select api.take_turn($1, $2, $3)", bucket, rule as _, now)
            .fetch_one(&mut *connection)
            .await
    });
    match wait.await? {
        None => Ok(()),
        Some(wait) => Err(Error::RateLimited(milliseconds(wait))),
    }
}

/// Removes throttles that hold nobody back any more.
///
/// # Errors
/// Those of the database.
pub async fn sweep(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    loop {
        let removed = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(
                r#"select api.sweep_throttles($1, $2) as "removed!""#,
                now,
                SWEPT_AT_ONCE
            )
            .fetch_one(&mut *connection)
            .await
        });
        if removed.await? < SWEPT_AT_ONCE {
            return Ok(());
        }
    }
}

/// What counts as one address: one customer usually has a whole IPv6 /64.
#[must_use]
pub fn network(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).octets()
        }
    }
}

/// A wait as the database tells it.
#[must_use]
pub fn milliseconds(wait: i64) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or(0).max(1))
}

/// A bucket as the database reads it out of JSON.
#[must_use]
pub fn hex(bucket: &Bucket) -> String {
    bucket.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_with_those_of_the_same_customer() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:1:3::3"));
        assert_eq!(network("203.0.113.9"), network("::ffff:203.0.113.9"));
        assert_ne!(network("203.0.113.9"), network("203.0.113.10"));
    }
}
