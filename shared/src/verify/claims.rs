//! What access tokens say: those of users, those of services, and those that a
//! service got to act for a user (RFC 8693).
//!
//! Invariant: a token is of one kind, by the claims that it has and by nothing
//! that its bearer could leave out.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{
    jws::{Present, one_or_many},
    trust::Subject,
};

/// How many may act for each other, one on behalf of the next.
pub const MAX_ACTORS: usize = 3;

/// What an access token says: whose it is decides what there is to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Token {
    /// A user's, who has a session.
    User(Claims),
    /// A service's, which acts for others.
    Service(ServiceClaims),
    /// A user's, in the hands of a service that may do what its scopes say.
    Delegated(DelegatedClaims),
}

/// What the access token of a user says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// The user's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// The services that the token is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it stops being good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own id.
    #[serde(deserialize_with = "strict_uuid")]
    pub jti: Uuid,
    /// The session's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sid: Uuid,
    /// When the user last proved who they are.
    pub auth_time: i64,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// The user's e-mail address.
    pub email: String,
    /// Whether the address is known to be the user's.
    pub email_verified: bool,
    /// Scopes, separated by blanks (RFC 8693).
    pub scope: String,
}

/// What the access token of a service says (RFC 9068, section 2.2): no session
/// and no person. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceClaims {
    /// Issuer.
    pub iss: String,
    /// The service account's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// The services that the token is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it stops being good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own id.
    #[serde(deserialize_with = "strict_uuid")]
    pub jti: Uuid,
    /// The client that the issuer gave it to.
    pub client_id: String,
    /// Scopes, separated by blanks (RFC 8693).
    pub scope: String,
    /// Who acts for the service, if another one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// What a token says that a service got to act for a user (RFC 8693): of whom,
/// in which session, who acts, and what it may do. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegatedClaims {
    /// Issuer.
    pub iss: String,
    /// The user's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// The services that the token is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it stops being good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own id.
    #[serde(deserialize_with = "strict_uuid")]
    pub jti: Uuid,
    /// The session of the user, with which it ends.
    #[serde(deserialize_with = "strict_uuid")]
    pub sid: Uuid,
    /// Who acts.
    pub act: Actor,
    /// Scopes, separated by blanks (RFC 8693).
    pub scope: String,
}

/// A service that acts for the subject of a token (RFC 8693, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The service account's id; nil is the issuer itself.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// Its name.
    pub client_id: String,
    /// Who acted before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

/// What tokens of every kind say.
pub(super) struct Common<'t> {
    pub(super) issuer: &'t str,
    pub(super) subject: Uuid,
    pub(super) audience: &'t [String],
    pub(super) expires: i64,
    pub(super) issued: i64,
    pub(super) begins: i64,
    pub(super) scope: &'t str,
}

impl Token {
    /// Reads the payload of a token. A `client_id` makes it a service's, and
    /// then it has no session; a session makes it a user's, and `act` says that
    /// it is in the hands of a service. Nothing is two of these.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(default)]
            client_id: Present,
            #[serde(default)]
            sid: Present,
            #[serde(default)]
            act: Present,
        }
        let Shape { client_id, sid, act } = serde_json::from_slice(payload).ok()?;
        let token = match (client_id.0, sid.0, act.0) {
            (true, true, _) => return None,
            (true, false, _) => Self::Service(serde_json::from_slice(payload).ok()?),
            (false, _, true) => Self::Delegated(serde_json::from_slice(payload).ok()?),
            (false, _, false) => Self::User(serde_json::from_slice(payload).ok()?),
        };
        // `act` may be null in no kind of token, and has an end. The nil id stands
        // for the issuer itself, which acts for others and is nobody's account.
        let actors = token.actors().take(MAX_ACTORS + 1).count();
        let acts_well = act.0 == (actors > 0) && actors <= MAX_ACTORS;
        (acts_well && !token.subject().is_nil()).then_some(token)
    }

    /// When it stops being good, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.common().expires
    }

    /// When it was issued, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> i64 {
        self.common().issued
    }

    /// The id of the user or of the service account.
    #[must_use]
    pub fn subject(&self) -> Uuid {
        self.common().subject
    }

    /// The services that it is for.
    #[must_use]
    pub fn audience(&self) -> &[String] {
        self.common().audience
    }

    /// What it allows. A user's token is not asked for it.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.common().scope.split_ascii_whitespace()
    }

    /// The user and the session that it lives with; none for a service's own.
    #[must_use]
    pub const fn session(&self) -> Option<(Uuid, Uuid)> {
        match self {
            Self::User(Claims { sub, sid, .. })
            | Self::Delegated(DelegatedClaims { sub, sid, .. }) => Some((*sub, *sid)),
            Self::Service(_) => None,
        }
    }

    /// Who acts with it, the last one first; nobody if its subject does.
    pub fn actors(&self) -> impl Iterator<Item = &Actor> {
        let last = match self {
            Self::User(_) => None,
            Self::Service(claims) => claims.act.as_ref(),
            Self::Delegated(claims) => Some(&claims.act),
        };
        std::iter::successors(last, |actor| actor.act.as_deref())
    }

    /// The service accounts that it lives with: its subject, if that is one, and
    /// everybody who acts.
    pub fn service_accounts(&self) -> impl Iterator<Item = Uuid> {
        let own = match self {
            Self::Service(claims) => Some(claims.sub),
            Self::User(_) | Self::Delegated(_) => None,
        };
        own.into_iter().chain(self.actors().map(|actor| actor.sub))
    }

    /// With whom it stands and falls: what can be revoked.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        let person = self
            .session()
            .map(|(user, session)| [Subject::Session { user, session }, Subject::User(user)]);
        person.into_iter().flatten().chain(self.service_accounts().map(Subject::Service))
    }

    pub(super) fn common(&self) -> Common<'_> {
        let (issuer, subject, audience, [expires, issued, begins], scope) = match self {
            Self::User(Claims { iss, sub, aud, exp, iat, nbf, scope, .. })
            | Self::Service(ServiceClaims { iss, sub, aud, exp, iat, nbf, scope, .. })
            | Self::Delegated(DelegatedClaims { iss, sub, aud, exp, iat, nbf, scope, .. }) => {
                (iss, *sub, aud, [*exp, *iat, *nbf], scope)
            }
        };
        Common { issuer, subject, audience, expires, issued, begins, scope }
    }
}

/// A UUID in its usual form only, so that one id has one spelling.
fn strict_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    let id = Uuid::try_parse(&text).map_err(serde::de::Error::custom)?;
    if id.as_hyphenated().to_string() == text {
        Ok(id)
    } else {
        Err(serde::de::Error::custom("not in the usual form"))
    }
}
