//! Second factors: their types, their rules, and their calls to the database.
//! What is done with a code of one stands in `proof`.
//!
//! Invariant: a secret is in the database sealed or not at all. Before it is
//! confirmed, that of an authenticator follows from the factor's id, and of a
//! passkey there is nothing.

pub mod passkeys;

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    database::{Database, Repeat},
    rng,
};
use uuid::Uuid;

use crate::{
    email::DisplayName,
    error::Error,
    recovery_code::RecoveryCodes,
    sealing::Sealer,
    sessions::Caller,
    totp::{TotpCode, TotpSecret},
};

/// How many factors of one kind a user may have.
const MOST: i64 = 5;
/// How long an enrolment can be confirmed.
const PENDING: TimeDelta = TimeDelta::minutes(10);

/// What kind of factor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An authenticator.
    Totp,
    /// A set of recovery codes.
    RecoveryCodes,
    /// A passkey.
    Passkey,
}

/// A factor as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
    /// What its owner calls it.
    pub display_name: String,
    /// When it was confirmed.
    pub confirmed_at: DateTime<Utc>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// How many codes are left; recovery codes only.
    pub remaining: i64,
}

/// A factor as codes are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFactor {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
    /// Its secret, sealed; of a passkey what its answers are checked with.
    pub sealed: Vec<u8>,
}

/// An enrolment that waits for its first code.
pub struct Enrolment {
    /// The factor's id.
    pub id: Uuid,
    /// What the authenticator is told.
    pub secret: TotpSecret,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
}

struct FactorRow {
    id: Uuid,
    kind: String,
    display_name: String,
    confirmed_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    remaining: i64,
}

/// The columns of known factors, in step with each other.
pub(crate) struct KnownRows {
    pub(crate) ids: Vec<Uuid>,
    pub(crate) kinds: Vec<String>,
    pub(crate) secrets: Vec<Vec<u8>>,
}

impl Kind {
    fn parse(kind: &str) -> Result<Self, Error> {
        match kind {
            "totp" => Ok(Self::Totp),
            "recovery_codes" => Ok(Self::RecoveryCodes),
            "passkey" => Ok(Self::Passkey),
            other => Err(Error::Impossible(format!("a factor of the kind {other}"))),
        }
    }
}

impl FactorRow {
    fn read(self) -> Result<Factor, Error> {
        let Self { id, kind, display_name, confirmed_at, last_used_at, remaining } = self;
        let kind = Kind::parse(&kind)?;
        Ok(Factor { id, kind, display_name, confirmed_at, last_used_at, remaining })
    }
}

impl KnownRows {
    pub(crate) fn read(self) -> Result<Vec<KnownFactor>, Error> {
        let Self { ids, kinds, secrets } = self;
        let rows = ids.into_iter().zip(kinds).zip(secrets);
        rows.map(|((id, kind), sealed)| Ok(KnownFactor { id, kind: Kind::parse(&kind)?, sealed }))
            .collect()
    }
}

/// What the secret of this factor is sealed with: it opens nowhere else.
#[must_use]
pub fn label(user: Uuid, factor: Uuid) -> String {
    format!("factor {user} {factor}")
}

/// What the secret of an authenticator can be that is not confirmed yet, by each
/// key-encryption key.
fn pending_secrets(
    sealer: &Sealer,
    user: Uuid,
    factor: Uuid,
) -> impl Iterator<Item = TotpSecret> + '_ {
    let label = format!("totp {user} {factor}");
    sealer
        .derive(&label)
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|bytes| TotpSecret::of(bytes.as_slice()))
}

/// The caller's factors, newest first.
///
/// # Errors
/// `SessionOver`.
pub async fn list(database: &Database, caller: &Caller) -> Result<Vec<Factor>, Error> {
    let &Caller { user, session, now, .. } = caller;
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            FactorRow,
            r#"select id as "id!", kind as "kind!", display_name as "display_name!",
                confirmed_at as "confirmed_at!", last_used_at, remaining as "remaining!"
            from api.list_factors($1, $2, $3)"#,
            user,
            session,
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    rows.await?.into_iter().map(FactorRow::read).collect()
}

/// What a proof of who the caller is will take one of: the caller's factors, the
/// recovery codes while some are left.
///
/// # Errors
/// `SessionOver`.
pub async fn known(database: &Database, caller: &Caller) -> Result<Vec<KnownFactor>, Error> {
    let &Caller { user, session, now, .. } = caller;
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            KnownRows,
            r#"select factor_ids as "ids!", factor_kinds as "kinds!", factor_secrets as "secrets!"
            from api.own_factors($1, $2, $3)"#,
            user,
            session,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    rows.await?.read()
}

/// Begins to add an authenticator; what the caller began before is forgotten.
///
/// # Errors
/// `SessionOver`, `FactorQuota`.
pub async fn begin(
    database: &Database,
    caller: &Caller,
    display_name: &DisplayName,
    sealer: &Sealer,
) -> Result<Enrolment, Error> {
    let &Caller { user, session, now, .. } = caller;
    let (id, expires_at) = (rng::uuid_v7(now), now + PENDING);
    let secret = pending_secrets(sealer, user, id).next();
    let secret = secret.ok_or_else(|| Error::Impossible("no key".to_owned()))?;
    let begun = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.begin_totp($1, $2, $3, $4, $5, $6, $7) as "begun!""#,
            user,
            session,
            id,
            display_name.as_str(),
            MOST,
            expires_at,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if begun.await? { Ok(Enrolment { id, secret, expires_at }) } else { Err(Error::FactorQuota) }
}

/// Ends the enrolment of the factor `id` by a code of the authenticator. With
/// the first factor come recovery codes.
///
/// # Errors
/// `SessionOver`, `FactorNotFound`, `FactorQuota`, `CodeInvalid`.
pub async fn confirm(
    database: &Database,
    caller: &Caller,
    id: Uuid,
    code: &TotpCode,
    sealer: &Sealer,
) -> Result<(Factor, Option<RecoveryCodes>), Error> {
    let &Caller { user, session, ref client, now } = caller;
    let fitting = pending_secrets(sealer, user, id)
        .find_map(|secret| secret.steps(code, now).last().map(|step| (secret, *step)));
    let (secret, step) = fitting.unzip();
    let sealed = secret.map(|secret| sealer.seal(&label(user, id), secret.expose()));
    let codes = RecoveryCodes::random();
    let set = rng::uuid_v7(now);
    let set_sealed = sealer.seal(&label(user, set), codes.key.expose());
    let (client, sealed, set_sealed, hashes) =
        (&client.json(), sealed.as_deref(), &set_sealed, &codes.hashes());
    let row = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", display_name
            from api.confirm_totp($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
            user,
            session,
            id,
            step,
            sealed,
            MOST,
            set,
            set_sealed,
            hashes,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    let codes = match row.outcome.as_str() {
        "first" => Some(codes),
        "further" => None,
        "wrong" => return Err(Error::CodeInvalid),
        "full" => return Err(Error::FactorQuota),
        "missing" => return Err(Error::FactorNotFound),
        other => return Err(Error::Impossible(format!("an enrolment with the outcome {other}"))),
    };
    let factor = Factor {
        id,
        kind: Kind::Totp,
        display_name: row.display_name.unwrap_or_default(),
        confirmed_at: now,
        last_used_at: None,
        remaining: 0,
    };
    Ok((factor, codes))
}

/// Replaces the caller's recovery codes.
///
/// # Errors
/// `SessionOver`, `FactorMissing`.
pub async fn make_recovery_codes(
    database: &Database,
    caller: &Caller,
    sealer: &Sealer,
) -> Result<RecoveryCodes, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let codes = RecoveryCodes::random();
    let set = rng::uuid_v7(now);
    let sealed = sealer.seal(&label(user, set), codes.key.expose());
    let (client, sealed, hashes) = (&client.json(), &sealed, &codes.hashes());
    let made = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.make_recovery_codes($1, $2, $3, $4, $5, $6, $7) as "made!""#,
            user,
            session,
            set,
            sealed,
            hashes,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if made.await? { Ok(codes) } else { Err(Error::FactorMissing) }
}

/// Removes an authenticator or a passkey of the caller; the recovery codes go with
/// the last.
///
/// # Errors
/// `SessionOver`, `FactorNotFound`, `FactorBound`.
pub async fn delete(database: &Database, caller: &Caller, id: Uuid) -> Result<(), Error> {
    let &Caller { user, session, ref client, now } = caller;
    let client = &client.json();
    let outcome = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.delete_factor($1, $2, $3, $4, $5) as "outcome!""#,
            user,
            session,
            id,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    match outcome.await?.as_str() {
        "deleted" => Ok(()),
        "missing" => Err(Error::FactorNotFound),
        "bound" => Err(Error::FactorBound),
        other => Err(Error::Impossible(format!("a factor with the outcome {other}"))),
    }
}
