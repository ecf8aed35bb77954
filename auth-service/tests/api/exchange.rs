//! The exchange of tokens (RFC 8693): the new one says less than those that it
//! came from, names who acts, and ends with all that it came from.

use std::{sync::Arc, time::Duration};

use auth_service::{
    sealing::Sealer,
    signing::{KeyRing, Rotation},
    token::Issuing,
};
use chrono::TimeDelta;
use proto::auth::v1::{
    ChangePasswordRequest, ExchangeTokenRequest, GetUserRequest, ListSessionsRequest,
    RevokeOtherSessionsRequest, RevokeSessionRequest, SignOutRequest, UpdateUserRequest,
};
use serde_json::json;
use shared::{
    clock::Clock as _,
    secret::Key,
    testing::{ManualClock, TestIssuer, database},
    trust::Trust,
    verify::{Claims, DelegatedClaims, Token},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
    services::{by, owned},
};

const BOTH: [&str; 2] = ["tasks:read", "tasks:write"];

/// Ada, and a service that may act for others.
struct Setup {
    app: TestApp,
    ada: Person,
    token: String,
    actor: String,
}

impl Setup {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let ada = app.signed_up("ada").await;
        let actor = acting(&app, "exporter", &["token:exchange", "tasks:read", "admin"]).await;
        Self { token: ada.credentials.access_token.clone(), app, ada, actor }
    }

    async fn exchange(
        &self,
        subject: &str,
        actor: &str,
        audience: &[&str],
        scopes: &[&str],
    ) -> Result<String, Status> {
        let request = ExchangeTokenRequest {
            subject_token: subject.to_owned(),
            actor_token: actor.to_owned(),
            audience: owned(audience),
            scopes: owned(scopes),
        };
        let answer = self.app.tokens().exchange_token(request).await?.into_inner();
        let token = self.app.verifier(audience[0]).await.verify(&answer.access_token);
        let expires = answer.expire_time.unwrap().seconds;
        assert_eq!(token.unwrap().expires_at(), expires);
        Ok(answer.access_token)
    }

    /// The usual one.
    async fn exchanged(&self) -> String {
        let exchanged = self.exchange(&self.token, &self.actor, &["task-service"], &["tasks:read"]);
        exchanged.await.unwrap()
    }

    /// What it says to a service.
    async fn read(&self, token: &str, audience: &str) -> DelegatedClaims {
        let token = self.app.verifier(audience).await.verify(token).unwrap();
        let Token::Delegated(claims) = (*token).clone() else { panic!("{token:?}") };
        claims
    }
}

/// The token of a new service.
async fn acting(app: &TestApp, name: &str, scopes: &[&str]) -> String {
    let (_, secret) = app.service(name, scopes).await;
    app.service_token(&secret).await.unwrap()
}

/// A refusal with what its metadata says.
fn refused(answer: Result<String, Status>, code: Code, reason: &str, key: &str, value: &str) {
    let status = answer.unwrap_err();
    status.is(code, reason);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata.get(key).map(String::as_str), Some(value), "{status:?}");
}

/// The subject stays the user; who acts, and for what, is said; and the same
/// claims are in the tokens that other services are tested with.
#[tokio::test]
async fn a_service_gets_a_token_to_act_for_a_user() {
    let setup = Setup::new().await;
    let token = setup.exchanged().await;
    let says = setup.read(&token, "task-service").await;
    assert_eq!(format!("users/{}", says.sub), setup.ada.name);
    assert!(setup.ada.credentials.session.ends_with(&says.sid.to_string()));
    assert_eq!(
        (says.aud.as_slice(), says.scope.as_str()),
        (&owned(&["task-service"])[..], "tasks:read")
    );
    assert_eq!((says.act.client_id.as_str(), &says.act.act), ("exporter", &None));
    let issuer = TestIssuer::new();
    let now = setup.app.clock.now();
    let tested = json!(issuer.delegated_claims(says.sub, says.act.sub, &["x"], "x", now));
    let names = |claims: &serde_json::Value| {
        claims.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(&json!(says)), names(&tested));

    let described = setup.app.introspect(&token).await;
    assert!(described.active);
    assert_eq!(
        (described.user, described.session),
        (setup.ada.name.clone(), setup.ada.credentials.session.clone())
    );
    assert_eq!((described.scopes, described.email.as_str()), (owned(&["tasks:read"]), ""));
}

/// Nothing of what a token allows grows by an exchange.
#[tokio::test]
async fn an_exchange_never_widens() {
    let setup = Setup::new().await;
    let (app, user, actor) = (&setup.app, &setup.token, &setup.actor);
    let scope = async |scope: &str, answer| {
        refused(answer, Code::PermissionDenied, "SCOPE_MISSING", "scope", scope);
    };
    let tasks = &["task-service"][..];
    // More than the actor's account has, and more than the user has.
    scope("tasks:write", setup.exchange(user, actor, tasks, &BOTH).await).await;
    scope("admin", setup.exchange(user, actor, tasks, &["admin"]).await).await;
    let delegates = setup.exchange(user, actor, &["auth-service"], &["token:exchange"]).await;
    scope("token:exchange", delegates).await;
    // More than the actor's token has, whatever its account may do.
    let (_, secret) = app.service("narrow", &["token:exchange", "tasks:read"]).await;
    let narrow = app.issue(by(&secret), &["token:exchange"], &[]).await.unwrap().access_token;
    scope("tasks:read", setup.exchange(user, &narrow, tasks, &["tasks:read"]).await).await;
    // Another service than those of the subject.
    let wide = setup.exchange(user, actor, &["task-service", "billing"], &["tasks:read"]).await;
    refused(wide, Code::PermissionDenied, "SCOPE_MISSING", "audience", "billing");

    // Of a token that was exchanged already, and of a service's own.
    let writer = acting(app, "writer", &["token:exchange", "tasks:read", "tasks:write"]).await;
    let first = setup.exchanged().await;
    scope("tasks:write", setup.exchange(&first, &writer, tasks, &BOTH).await).await;
    let wide = setup.exchange(&first, &writer, &["auth-service"], &["tasks:read"]).await;
    refused(wide, Code::PermissionDenied, "SCOPE_MISSING", "audience", "auth-service");
    let reader = acting(app, "reader", &["tasks:read"]).await;
    scope("tasks:write", setup.exchange(&reader, &writer, tasks, &BOTH).await).await;
    let own = setup.exchange(&reader, &writer, tasks, &["tasks:read"]).await.unwrap();
    let own = app.verifier("task-service").await.verify(&own).unwrap();
    let Token::Service(says) = &*own else { panic!("{own:?}") };
    assert_eq!((says.client_id.as_str(), says.scope.as_str()), ("reader", "tasks:read"));
    assert_eq!(says.act.as_ref().unwrap().client_id, "writer");
}

/// Only a service exchanges, with a token of its own for us that says so.
#[tokio::test]
async fn only_a_service_with_the_scope_acts() {
    let setup = Setup::new().await;
    let (app, user) = (&setup.app, &setup.token);
    let reader = acting(app, "reader", &["tasks:read"]).await;
    let writer = acting(app, "writer", &["token:exchange", "tasks:read"]).await;
    // Its own token, in the hands of another.
    let for_writer = setup.exchange(&writer, &setup.actor, &["auth-service"], &["token:exchange"]);
    let for_writer = for_writer.await.unwrap();
    for actor in [&reader, user, &for_writer] {
        let answer = setup.exchange(user, actor, &["task-service"], &["tasks:read"]).await;
        refused(answer, Code::PermissionDenied, "SCOPE_MISSING", "scope", "token:exchange");
    }
    let (_, secret) = app.service("writer", &["token:exchange", "tasks:read"]).await;
    let elsewhere = app.issue(by(&secret), &[], &["task-service"]).await.unwrap().access_token;
    let exchanged = setup.exchanged().await;
    for actor in [&elsewhere, &exchanged, "junk"] {
        let answer = setup.exchange(user, actor, &["task-service"], &["tasks:read"]).await;
        refused(answer, Code::Unauthenticated, "TOKEN_INVALID", "field", "actor_token");
    }
    let foreign = TestIssuer::new();
    let claims = foreign.claims(uuid::Uuid::nil(), "task-service", app.clock.now());
    for subject in ["junk", &foreign.token(&claims)] {
        let answer = setup.exchange(subject, &writer, &["task-service"], &["tasks:read"]).await;
        refused(answer, Code::Unauthenticated, "TOKEN_INVALID", "field", "subject_token");
    }
    let empty = ExchangeTokenRequest::default();
    let empty = app.tokens().exchange_token(empty).await.unwrap_err();
    empty.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(empty.fields(), ["subject_token", "actor_token", "audience", "scopes"]);
}

/// It lives no longer than any token that it came from, however young it is.
#[tokio::test]
async fn an_exchanged_token_outlives_nothing() {
    let setup = Setup::new().await;
    let users = setup.read(&setup.exchanged().await, "task-service").await.exp;
    setup.app.clock.advance(minutes(4));
    let actor = acting(&setup.app, "exporter", &["token:exchange", "tasks:read", "admin"]).await;
    let token = setup.exchange(&setup.token, &actor, &["task-service"], &["tasks:read"]).await;
    assert_eq!(setup.read(&token.unwrap(), "task-service").await.exp, users);
    // The actor's expires first.
    let fresh = setup.app.refresh(&setup.ada.credentials.refresh_token).await.unwrap();
    let token =
        setup.exchange(&fresh.access_token, &setup.actor, &["task-service"], &["tasks:read"]);
    assert_eq!(setup.read(&token.await.unwrap(), "task-service").await.exp, users);

    setup.app.clock.advance(Duration::from_secs(62));
    for late in [2, 60] {
        let answer = setup.exchange(&setup.token, &actor, &["task-service"], &["tasks:read"]).await;
        answer.unwrap_err().is(Code::Unauthenticated, "TOKEN_EXPIRED");
        setup.app.clock.advance(Duration::from_secs(late));
    }
}

/// Three may act one for the other, and no fourth.
#[tokio::test]
async fn a_chain_of_actors_has_an_end() {
    let setup = Setup::new().await;
    let (mut token, mut before) = (setup.token.clone(), None);
    for name in ["one", "two", "three"] {
        let actor = acting(&setup.app, name, &["token:exchange", "tasks:read"]).await;
        let exchanged = setup.exchange(&token, &actor, &["task-service"], &["tasks:read"]).await;
        token = exchanged.unwrap();
        let says = setup.read(&token, "task-service").await;
        assert_eq!(format!("users/{}", says.sub), setup.ada.name);
        assert_eq!((says.act.client_id.as_str(), &says.act.act), (name, &before));
        before = Some(Box::new(says.act));
    }
    let fourth = setup.exchange(&token, &setup.actor, &["task-service"], &["tasks:read"]).await;
    let fourth = fourth.unwrap_err();
    fourth.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(fourth.fields(), ["subject_token"]);
    // It ends with each of those who act.
    assert!(setup.app.introspect(&token).await.active);
    setup.app.delete_service("two").await;
    assert!(!setup.app.introspect(&token).await.active);
}

/// With the user's session and with the actor's account everything ends.
#[tokio::test]
async fn an_exchange_needs_both_alive() {
    let setup = Setup::new().await;
    let token = setup.exchanged().await;
    let again = async |subject: &str| {
        setup.exchange(subject, &setup.actor, &["task-service"], &["tasks:read"]).await
    };
    let sign_out = SignOutRequest { refresh_token: setup.ada.credentials.refresh_token.clone() };
    setup.app.auth().sign_out(sign_out).await.unwrap();
    assert!(!setup.app.introspect(&token).await.active);
    for subject in [&setup.token, &token] {
        let answer = again(subject).await;
        refused(answer, Code::Unauthenticated, "SESSION_REVOKED", "field", "subject_token");
    }
    let fresh = setup.app.sign_in(&setup.ada.email, PASSWORD).await.unwrap().access_token;
    let token = again(&fresh).await.unwrap();
    setup.app.delete_service("exporter").await;
    assert!(!setup.app.introspect(&token).await.active);
    let answer = again(&fresh).await;
    refused(answer, Code::Unauthenticated, "TOKEN_INVALID", "field", "actor_token");
}

/// An account is its user's: a service that acts for them is kept out.
#[tokio::test]
async fn the_account_is_closed_to_who_acts_for_the_user() {
    let setup = Setup::new().await;
    let token = setup.exchange(&setup.token, &setup.actor, &["auth-service"], &["tasks:read"]);
    let mut account = setup.app.account(&token.await.unwrap());
    let session = setup.ada.credentials.session.clone();
    let passwords = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "stolen-Violin-55".to_owned(),
        ..ChangePasswordRequest::default()
    };
    for refusal in [
        account.get_user(GetUserRequest::default()).await.err(),
        account.update_user(UpdateUserRequest::default()).await.err(),
        account.change_password(passwords).await.err(),
        account.list_sessions(ListSessionsRequest::default()).await.err(),
        account.revoke_session(RevokeSessionRequest { name: session }).await.err(),
        account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await.err(),
    ] {
        refusal.unwrap().is(Code::PermissionDenied, "SCOPE_MISSING");
    }
    setup.app.sign_in(&setup.ada.email, PASSWORD).await.unwrap();
}

/// This service acts for a user by itself, by the same rules.
#[tokio::test]
async fn the_issuer_acts_for_a_user_itself() {
    let (clock, key) = (ManualClock::new(), Key::random());
    let database = database(&auth_service::SCHEMA).await;
    let app = TestApp::start_on(database, clock.clone(), &key.to_base64(), &[]).await;
    let ada = app.signed_up("ada").await;
    let rotation = Rotation {
        algorithm: jsonwebtoken::Algorithm::EdDSA,
        period: TimeDelta::days(30),
        lead: TimeDelta::minutes(5),
        token_lifetime: TimeDelta::minutes(5),
        refresh: TimeDelta::minutes(1),
    };
    let sealer = Arc::new(Sealer::new(&key, None));
    let trust = Trust::new(Duration::MAX);
    let keys = KeyRing::open(rotation, app.own_database(), sealer, clock.shared(), trust);
    let key = keys.await.unwrap().active().unwrap();
    let issuing = Issuing {
        issuer: "https://auth.test".to_owned(),
        audience: owned(&["auth-service", "task-service"]),
        lifetime: minutes(5),
    };
    let token = app.verifier("auth-service").await.verify(&ada.credentials.access_token).unwrap();
    let Token::User(claims) = &*token else { panic!("{token:?}") };
    let Claims { sub, exp, .. } = *claims;
    app.clock.advance(minutes(1));
    let act = |service| issuing.act_for(&key, claims, service, &["tasks:read"], app.clock.now());
    let exchanged = act("task-service").unwrap();
    let read = app.verifier("task-service").await.verify(exchanged.expose()).unwrap();
    let Token::Delegated(says) = &*read else { panic!("{read:?}") };
    assert_eq!((says.sub, says.exp, says.scope.as_str()), (sub, exp, "tasks:read"));
    assert_eq!(says.act.client_id, "auth-service");
    assert!(app.introspect(exchanged.expose()).await.active);
    assert!(act("billing").is_err());
    app.clock.advance(minutes(4));
    assert!(act("task-service").is_err());
}
