//! What a code proves: it ends a sign-in that asked for a second factor, or says
//! again who the caller is.
//!
//! Invariant: here it is worked out what a code or the answer of a passkey fits;
//! the database alone says whether it may still be used, and notes in the same
//! statement that it was.

use chrono::{DateTime, TimeDelta, Utc};
use shared::database::{Database, Repeat};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    accounts::{User, UserRow},
    challenge::Challenge,
    error::Error,
    factors::{Kind, KnownFactor, label, passkeys},
    hashing::StoredPassword,
    passkey::{Asked, Question, RelyingParty},
    recovery_code::RecoveryCode,
    sealing::Sealer,
    sessions::{Caller, NewSession},
    token::Subject,
    totp::{TotpCode, TotpSecret},
};

/// A code, as somebody typed it, or what a passkey answered.
#[derive(Clone)]
pub enum Code {
    /// Of an authenticator.
    Totp(TotpCode),
    /// A recovery code.
    Recovery(RecoveryCode),
    /// Of a passkey: AuthenticationResponseJSON, or whatever was sent as one.
    Passkey(String),
}

/// What a code fits.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// `otp`, `pop`, `recovery`, or none if there is no code.
    method: Option<&'static str>,
    factors: Vec<Uuid>,
    /// Of each factor the time step that the code is of; of a passkey when it was
    /// asked, in microseconds, and nothing at a sign-in, which asks only once.
    steps: Vec<i64>,
    hash: Option<Vec<u8>>,
}

/// What a code is looked at with.
pub struct Check<'a> {
    /// What for, and whose code it has to be.
    pub question: Question,
    /// The factors that there are.
    pub known: &'a [KnownFactor],
    /// What they are sealed with.
    pub sealer: &'a Sealer,
    /// The page that passkeys belong to.
    pub relying_party: Option<&'a RelyingParty>,
    /// When.
    pub now: DateTime<Utc>,
}

impl Check<'_> {
    /// What `code` fits.
    #[must_use]
    pub fn proof(&self, code: &Code) -> Proof {
        match code {
            Code::Totp(code) => self.of_totp(code),
            Code::Recovery(code) => self.of_recovery(code),
            Code::Passkey(answer) => self.of_passkey(answer),
        }
    }

    fn of_totp(&self, code: &TotpCode) -> Proof {
        let mut proof = Proof { method: Some("otp"), ..Proof::default() };
        for factor in self.of_kind(Kind::Totp) {
            let secret = self.open(factor).and_then(|secret| TotpSecret::of(&secret));
            let steps = secret.map(|secret| secret.steps(code, self.now)).unwrap_or_default();
            proof.factors.extend(steps.iter().map(|_| factor.id));
            proof.steps.extend(steps);
        }
        proof
    }

    fn of_recovery(&self, code: &RecoveryCode) -> Proof {
        let set = self.of_kind(Kind::RecoveryCodes).next();
        let key = set.and_then(|set| self.open(set));
        Proof {
            method: Some("recovery"),
            factors: set.into_iter().map(|factor| factor.id).collect(),
            steps: Vec::new(),
            hash: key.map(|key| code.hash(&key)),
        }
    }

    fn of_passkey(&self, answer: &str) -> Proof {
        let Self { question, known, sealer, relying_party, now } = *self;
        let known = passkeys::among(known, question.user(), sealer);
        let answered =
            relying_party.and_then(|page| page.answered(answer, &question, &known, sealer, now));
        let (factor, asked) = answered.unzip();
        Proof {
            method: Some("pop"),
            factors: factor.into_iter().collect(),
            steps: asked.and_then(|Asked(at)| at).into_iter().collect(),
            hash: None,
        }
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &KnownFactor> {
        self.known.iter().filter(move |factor| factor.kind == kind)
    }

    fn open(&self, factor: &KnownFactor) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open(&label(self.question.user(), factor.id), &factor.sealed)
    }
}

impl Proof {
    /// What is told of one that was not taken.
    fn refused(&self) -> Error {
        if self.method == Some("pop") { Error::AssertionInvalid } else { Error::CodeInvalid }
    }
}

/// How somebody proved who they are (RFC 8176, which has no word for recovery
/// codes).
fn methods(outcome: &str) -> Vec<String> {
    let second = (outcome != "pwd").then(|| outcome.to_owned());
    ["pwd".to_owned()].into_iter().chain(second).collect()
}

fn throttled(retry_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Error {
    let wait = retry_at.map_or(TimeDelta::zero(), |at| at - now);
    Error::CodesThrottled(wait.max(TimeDelta::seconds(1)).to_std().unwrap_or_default())
}

/// Ends a sign-in that asked for a second factor: opens `session`, and tells how
/// its user proved who they are.
///
/// # Errors
/// `ChallengeInvalid`, `CodeInvalid`, `AssertionInvalid`, `CodesThrottled`.
pub async fn complete_sign_in(
    database: &Database,
    challenge: &Challenge,
    proof: &Proof,
    session: &NewSession,
) -> Result<(User, Vec<String>), Error> {
    let NewSession { user, id, client, device: _, now, expires_at, ends_at } = session;
    let (user_agent, client) = (&client.user_agent, &client.json());
    let Proof { method, factors, steps, hash } = proof;
    let challenge = challenge.id;
    let row = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", retry_at, email, email_verified, display_name,
                created_at, updated_at, is_admin
            from api.complete_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"#,
            user,
            challenge,
            *method,
            factors,
            steps,
            hash.as_deref(),
            id,
            user_agent,
            client,
            now,
            expires_at,
            ends_at
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    let methods = match row.outcome.as_str() {
        "otp" | "pop" | "recovery" => methods(&row.outcome),
        "wrong" => return Err(proof.refused()),
        "throttled" => return Err(throttled(row.retry_at, *now)),
        "over" => return Err(Error::ChallengeInvalid),
        other => return Err(Error::Impossible(format!("a challenge with the outcome {other}"))),
    };
    let completed = || {
        let completed = UserRow {
            email: row.email?,
            email_verified: row.email_verified?,
            display_name: row.display_name?,
            created_at: row.created_at?,
            updated_at: row.updated_at?,
            is_admin: row.is_admin?,
        };
        Some((completed.of(*user), methods))
    };
    completed().ok_or_else(|| Error::Impossible("a sign-in without its user".to_owned()))
}

/// Notes that the caller proved again who they are: by the password, which was
/// found to be `seen`, and by `proof`. Tells whom access tokens are about now.
///
/// # Errors
/// `SessionOver`; `WrongCredentials`, if the password was changed in between;
/// `CodeMissing`, `CodeInvalid`, `AssertionInvalid`, `CodesThrottled`.
pub async fn reauthenticate(
    database: &Database,
    caller: &Caller,
    seen: &StoredPassword,
    proof: &Proof,
) -> Result<Subject, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let client = &client.json();
    let Proof { method, factors, steps, hash } = proof;
    let row = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", retry_at, email as "email!",
                email_verified as "email_verified!", is_admin as "is_admin!",
                expires_at as "expires_at!"
            from api.reauthenticate($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
            user,
            session,
            seen.phc,
            *method,
            factors,
            steps,
            hash.as_deref(),
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    let row = row.await?.ok_or(Error::SessionOver)?;
    match row.outcome.as_str() {
        "pwd" | "otp" | "pop" | "recovery" => Ok(Subject {
            user,
            session,
            email: row.email,
            email_verified: row.email_verified,
            is_admin: row.is_admin,
            auth_time: now,
            amr: methods(&row.outcome),
            session_ends_at: row.expires_at,
        }),
        "missing" => Err(Error::CodeMissing),
        "wrong" => Err(proof.refused()),
        "throttled" => Err(throttled(row.retry_at, now)),
        "changed" => Err(Error::WrongCredentials),
        other => Err(Error::Impossible(format!("a proof with the outcome {other}"))),
    }
}
