//! Passkeys among the factors, and adding one: what is begun is stored nowhere, and
//! what is confirmed has been checked to be the answer to it.

use chrono::DateTime;
use shared::{
    database::{Database, Repeat},
    rng,
};
use uuid::Uuid;

use super::{Factor, Kind, KnownFactor, MOST, label};
use crate::{
    email::DisplayName,
    error::Error,
    passkey::{Asked, Credential},
    recovery_code::RecoveryCodes,
    sealing::Sealer,
    sessions::Caller,
};

/// The passkeys among these factors of `user`, each with the id of its factor.
#[must_use]
pub fn among(known: &[KnownFactor], user: Uuid, sealer: &Sealer) -> Vec<(Uuid, Credential)> {
    let passkeys = known.iter().filter(|factor| factor.kind == Kind::Passkey);
    passkeys
        .filter_map(|KnownFactor { id, sealed, .. }| {
            let credential = sealer.open(&label(user, *id), sealed)?;
            Some((*id, Credential::read(&credential)?))
        })
        .collect()
}

/// Makes sure that whoever has these factors may have one more passkey. Which of
/// many at once is one too many, is found out in the end.
///
/// # Errors
/// `FactorQuota`.
pub fn check_room(known: &[KnownFactor]) -> Result<(), Error> {
    let count = known.iter().filter(|factor| factor.kind == Kind::Passkey).count();
    if i64::try_from(count).is_ok_and(|count| count < MOST) {
        Ok(())
    } else {
        Err(Error::FactorQuota)
    }
}

/// A passkey that was made, and is to be a factor.
pub struct Enrolled {
    /// As which factor it was asked for.
    pub factor: Uuid,
    /// What its owner calls it.
    pub display_name: DisplayName,
    /// What its answers are checked with.
    pub credential: Credential,
    /// When it was asked for.
    pub asked: Asked,
}

/// Adds a passkey. With the first factor come recovery codes, and every other session
/// ends.
///
/// # Errors
/// `SessionOver`, `FactorQuota`, `PasskeyUsed`.
pub async fn confirm(
    database: &Database,
    caller: &Caller,
    enrolled: &Enrolled,
    sealer: &Sealer,
) -> Result<(Factor, Option<RecoveryCodes>), Error> {
    let &Caller { user, session, ref client, now } = caller;
    let &Enrolled { factor: id, ref display_name, ref credential, asked: Asked(asked) } = enrolled;
    let asked = asked.and_then(DateTime::from_timestamp_micros).unwrap_or(now);
    let codes = RecoveryCodes::random();
    let set = rng::uuid_v7(now);
    let sealed = &sealer.seal(&label(user, id), &credential.to_bytes());
    let set_sealed = &sealer.seal(&label(user, set), codes.key.expose());
    let (client, name, hashes) = (&client.json(), display_name.as_str(), &codes.hashes());
    let outcome = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.confirm_passkey($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                $12) as "outcome!""#,
            user,
            session,
            id,
            name,
            sealed,
            MOST,
            asked,
            set,
            set_sealed,
            hashes,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let codes = match outcome.await?.as_str() {
        "first" => Some(codes),
        "further" => None,
        "used" => return Err(Error::PasskeyUsed),
        "full" => return Err(Error::FactorQuota),
        other => return Err(Error::Impossible(format!("an enrolment with the outcome {other}"))),
    };
    let factor = Factor {
        id,
        kind: Kind::Passkey,
        display_name: name.to_owned(),
        confirmed_at: now,
        last_used_at: None,
        remaining: 0,
    };
    Ok((factor, codes))
}
