//! The gRPC face of this service: one module per gRPC service. They read
//! requests, call the aggregates, and write answers; they know no statement and
//! no row.

use std::sync::Arc;

use prost_types::Timestamp;
use proto::auth::v1;
use shared::{
    clock::SharedClock,
    database::Database,
    error::{Failure, Fields, Reason},
    name,
    page::PageTokens,
    secret::Secret,
    verify::Verifier,
};
use tonic::{Response, Status};

use crate::{
    accounts::User,
    config::{SecondFactors, mail::Enumeration},
    cookie::Cookies,
    error::DOMAIN,
    export::tasks::Tasks,
    mail::Outbox,
    passkey::RelyingParty,
    password::{Hasher, MAX_BYTES},
    sealing::Sealer,
    sessions::{Lifetimes, Session},
    signing::KeyRing,
    throttle::Throttles,
    token::Issuing,
    trust_feed::TrustFeed,
};

mod account;
mod admin;
mod auth;
mod device;
mod factors;
mod machines;
mod owner;
mod passkeys;
mod recovery;
mod step_up;
mod token;
pub mod trust;

/// What every method works with; implements the gRPC services.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

/// The parts that a service is put together from.
pub struct Parts {
    /// Where accounts and sessions are.
    pub database: Database,
    /// By which time.
    pub clock: SharedClock,
    /// What hashes passwords.
    pub hasher: Hasher,
    /// The keys that sign.
    pub keys: Arc<KeyRing>,
    /// What tells verifiers; to be told of every change that concerns them.
    pub trust: TrustFeed,
    /// What tokens say.
    pub issuing: Issuing,
    /// What verifies them.
    pub verifier: Verifier,
    /// What makes refresh tokens.
    pub sealer: Arc<Sealer>,
    /// Where mails are put.
    pub outbox: Outbox,
    /// Whether sign-up tells who has an account.
    pub enumeration: Enumeration,
    /// What makes page tokens.
    pub pages: PageTokens,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// How what a browser keeps travels.
    pub cookies: Cookies,
    /// How much is let through.
    pub throttles: Throttles,
    /// What second factors are like.
    pub second_factors: SecondFactors,
    /// Whose passkeys are; none if none can be.
    pub relying_party: Option<RelyingParty>,
    /// The services that have to erase what they have of a deleted user.
    pub erasing_services: Vec<String>,
    /// Where the tasks of an export are, if that is known.
    pub tasks: Option<Tasks>,
}

impl Service {
    /// A service of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Reads a new password; notes what is wrong with it. `known` is what an
    /// attacker would try first.
    async fn new_password(
        &self,
        fields: &mut Fields,
        field: &str,
        password: String,
        known: Vec<String>,
    ) -> Result<Option<Secret>, Failure> {
        match self.password_of_length(fields, field, password) {
            Some(password) => self.strong_password(fields, field, password, known).await,
            None => Ok(None),
        }
    }

    /// Reads a new password, all but how easy it is to guess.
    fn password_of_length(
        &self,
        fields: &mut Fields,
        field: &str,
        password: String,
    ) -> Option<Secret> {
        let length = self.0.hasher.rules().check_length(&password);
        fields.read(field, length.map(|()| Secret::from(password)))
    }

    /// Finds out how easy a new password is to guess, which is work for the
    /// threads that hash.
    async fn strong_password(
        &self,
        fields: &mut Fields,
        field: &str,
        password: Secret,
        known: Vec<String>,
    ) -> Result<Option<Secret>, Failure> {
        let weakness = self.0.hasher.weakness(&password, known).await?;
        let strong = weakness.map_or(Ok(password), Err);
        Ok(fields.read_as(Reason::PasswordCompromised, field, strong))
    }
}

/// Reads a password that is to be checked.
fn read_password(fields: &mut Fields, field: &str, password: String) -> Option<Secret> {
    let read = match password.len() {
        0 => Err("The password is needed"),
        1..=MAX_BYTES => Ok(Secret::from(password)),
        _ => Err("A password has at most 128 characters."),
    };
    fields.read(field, read)
}

/// Puts a result into the words of the wire.
fn answer<T>(result: Result<T, Failure>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|failure| failure.into_status(DOMAIN))
}

fn to_timestamp(time: chrono::DateTime<chrono::Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

impl From<User> for v1::User {
    fn from(user: User) -> Self {
        let User { id, email, email_verified, display_name, created_at, updated_at, is_admin: _ } =
            user;
        Self {
            name: name::of_user(id),
            email,
            email_verified,
            display_name,
            create_time: Some(to_timestamp(created_at)),
            update_time: Some(to_timestamp(updated_at)),
        }
    }
}

fn to_session(session: Session, user: uuid::Uuid, current: uuid::Uuid) -> v1::Session {
    let Session { id, user_agent, created_at, active_at, expires_at } = session;
    v1::Session {
        name: name::of_member(user, "sessions", id),
        user_agent,
        create_time: Some(to_timestamp(created_at)),
        last_active_time: Some(to_timestamp(active_at)),
        expire_time: Some(to_timestamp(expires_at)),
        current: id == current,
    }
}
