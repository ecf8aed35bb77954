//! Tokens of services: issued to service accounts, and exchanged for those with
//! which one acts for another (RFC 8693).

use std::sync::Arc;

use proto::auth::v1::{
    ExchangeTokenRequest, ExchangeTokenResponse, IssueServiceTokenRequest,
    IssueServiceTokenResponse, issue_service_token_request::Credential,
};
use shared::{
    error::{Failure, Fields, Reason},
    secret::Secret,
    verify::{Refusal, Token},
};
use tonic::Request;

use super::{Service, to_timestamp};
use crate::{
    delegation::{self, Acting, Asked, EXCHANGE, too_much},
    error::Error,
    service_accounts::{
        admission::{self, Admitted},
        assertion::Assertion,
        secret::ServiceSecret,
    },
};

/// How many scopes or services a request may name.
const MAX_NAMED: usize = 16;
/// The longest name of a scope or a service, in bytes.
const MAX_NAME: usize = 64;

impl Service {
    pub(super) async fn do_issue_service_token(
        &self,
        request: Request<IssueServiceTokenRequest>,
    ) -> Result<IssueServiceTokenResponse, Failure> {
        let IssueServiceTokenRequest { credential, scopes, audience } = request.into_inner();
        let mut fields = Fields::new();
        let credential =
            fields.read("credential", credential.ok_or("A secret or an assertion is needed."));
        let scopes = fields.read("scopes", names(scopes));
        let audience = fields.read("audience", names(audience));
        let (credential, scopes, audience) = fields.all((credential, scopes, audience))?;

        let account = self.admit(credential).await?;
        let scopes = narrowed("scope", scopes, &account.scopes)?;
        let audience = narrowed("audience", audience, &self.0.issuing.audience)?;
        let key = self.0.keys.active().map_err(Failure::internal)?;
        let asked = Asked { audience, scopes: scopes.clone() };
        let issued = self.0.issuing.issue_to_service(&key, account, asked);
        let (token, expires) = issued.map_err(Failure::internal)?;
        Ok(IssueServiceTokenResponse {
            access_token: token.expose().to_owned(),
            expire_time: Some(to_timestamp(expires)),
            scopes,
        })
    }

    /// The account that the credential proves. What is not even written like a
    /// credential says nothing of any account, and needs no look.
    async fn admit(&self, credential: Credential) -> Result<Admitted, Error> {
        let (database, now) = (&self.0.database, self.0.clock.now());
        match credential {
            Credential::Secret(secret) => {
                let secret = ServiceSecret::read(Secret::from(secret));
                let secret = secret.ok_or(Error::WrongCredentials)?;
                admission::admit_by_secret(database, &secret, now).await
            }
            Credential::Assertion(assertion) => {
                let assertion = Assertion::read(&assertion).ok_or(Error::WrongCredentials)?;
                let issuer = &self.0.issuing.issuer;
                admission::admit_by_assertion(database, &assertion, issuer, now).await
            }
        }
    }

    pub(super) async fn do_exchange_token(
        &self,
        request: Request<ExchangeTokenRequest>,
    ) -> Result<ExchangeTokenResponse, Failure> {
        let ExchangeTokenRequest { subject_token, actor_token, audience, scopes } =
            request.into_inner();
        let mut fields = Fields::new();
        let subject = fields.read("subject_token", given(subject_token));
        let actor = fields.read("actor_token", given(actor_token));
        let audience = fields.read("audience", names(audience).and_then(some));
        let scopes = fields.read("scopes", names(scopes).and_then(some));
        let (subject, actor, audience, scopes) = fields.all((subject, actor, audience, scopes))?;

        let actor = self.actor(&actor)?;
        // It need not be for us: whichever service got it may exchange it.
        let subject = self.0.verifier.introspect(subject.expose());
        let subject = subject.map_err(|refusal| refused("subject_token", refusal))?;
        let (database, now) = (&self.0.database, self.0.clock.now());
        let (acting, allowed) = admission::actor_for(database, &subject, &actor, now).await?;
        let by_token = |scope: &String| actor.scopes().any(|own| own == scope);
        let scopes_of_actor = allowed.into_iter().filter(by_token).collect();
        let acting =
            Acting { actor: acting, scopes: scopes_of_actor, expires_at: actor.expires_at() };
        let asked = Asked { audience, scopes };
        let lifetime = self.0.issuing.lifetime;
        let token = delegation::exchange(&subject, acting, asked, lifetime, now)?;
        let expires = token.expires_at();
        let key = self.0.keys.active().map_err(Failure::internal)?;
        Ok(ExchangeTokenResponse {
            access_token: key.sign(&token).map_err(Failure::internal)?,
            expire_time: Some(prost_types::Timestamp { seconds: expires, nanos: 0 }),
        })
    }

    /// The token of the service that will act: its own, for us, with the scope
    /// for it.
    fn actor(&self, token: &Secret) -> Result<Arc<Token>, Failure> {
        let actor = self.0.verifier.verify(token.expose());
        let actor = actor.map_err(|refusal| refused("actor_token", refusal))?;
        let own = matches!(&*actor, Token::Service(claims) if claims.act.is_none());
        if own && actor.scopes().any(|scope| scope == EXCHANGE) {
            return Ok(actor);
        }
        Err(Failure::new(Reason::ScopeMissing, "Only a service that may do so exchanges tokens.")
            .metadata("scope", EXCHANGE))
    }
}

/// Reads the names of scopes or services, each once.
fn names(mut named: Vec<String>) -> Result<Vec<String>, String> {
    let is_name = |name: &String| {
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
    };
    if named.len() > MAX_NAMED || !named.iter().all(is_name) {
        return Err(format!(
            "At most {MAX_NAMED} names, each of 1 to {MAX_NAME} characters without blanks."
        ));
    }
    named.sort_unstable();
    named.dedup();
    Ok(named)
}

fn some(named: Vec<String>) -> Result<Vec<String>, String> {
    if named.is_empty() { Err("At least one is needed.".to_owned()) } else { Ok(named) }
}

fn given(token: String) -> Result<Secret, &'static str> {
    if token.is_empty() { Err("This token is needed.") } else { Ok(Secret::from(token)) }
}

/// What is asked for, or everything if nothing is.
fn narrowed(what: &str, asked: Vec<String>, all: &[String]) -> Result<Vec<String>, Failure> {
    if asked.is_empty() {
        return Ok(all.to_vec());
    }
    match asked.iter().find(|name| !all.contains(name)) {
        Some(wide) => Err(too_much(what, wide)),
        None => Ok(asked),
    }
}

/// Says which token is not good, and not why.
fn refused(field: &str, refusal: Refusal) -> Failure {
    let failure = match refusal {
        Refusal::Expired => Failure::new(Reason::TokenExpired, "This token has expired."),
        Refusal::Invalid(check) => {
            tracing::debug!(check, field, "A token was not exchanged.");
            Failure::new(Reason::TokenInvalid, "This token is not good.")
        }
        Refusal::Revoked => {
            Failure::new(Reason::SessionRevoked, "The session of this token was ended.")
        }
        Refusal::NoKeys => Failure::new(Reason::TrustStale, "Tokens cannot be checked now.")
            .retry_after(std::time::Duration::from_secs(1)),
    };
    failure.metadata("field", field)
}
