//! Tokens with which a service acts for a user (RFC 8693): limited by their
//! scopes, confined to that user, and never taken for anything else.

use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    error::Reason,
    interceptor::Identity,
    name::{self, Who},
    rng::uuid_v4,
    verify::{Refusal, Token},
};

use crate::services::{call, known};

/// One kind passes for no other, whatever is put into it or left out.
#[test]
fn a_token_is_of_one_kind() {
    let setup = known();
    let (user, actor, now) = (uuid_v4(), uuid_v4(), setup.clock.now());
    let issuer = &setup.issuer;
    let users = issuer.claims(user, "test", now);
    let services = issuer.service_claims(actor, &["x"], "test", now);
    let delegated = issuer.delegated_claims(user, actor, &["x"], "test", now);
    let verify = |claims: &Value| setup.verifier.verify(&issuer.token(claims));
    let (users, services, told) = (json!(users), json!(services), json!(delegated));
    assert_eq!(*verify(&told).unwrap(), Token::Delegated(delegated));
    assert!(matches!(*verify(&told).unwrap(), Token::Delegated(_)));

    let with = |base: &Value, name: &str, value: Value| {
        let mut claims = base.clone();
        claims[name] = value;
        claims
    };
    let without = |base: &Value, name: &str| {
        let mut claims = base.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let act = told["act"].clone();
    let nested = |depth: usize| {
        (1..depth)
            .fold(act.clone(), |inner, _| json!({ "sub": actor, "client_id": "a", "act": inner }))
    };
    for bad in [
        with(&told, "act", Value::Null),
        with(&told, "act", json!({})),
        with(&told, "act", json!([act])),
        with(&told, "act", json!({ "sub": "a service", "client_id": "a" })),
        with(&told, "act", json!({ "sub": actor })),
        with(&told, "act", nested(4)),
        with(&told, "client_id", json!("a")),
        without(&told, "act"),
        without(&told, "sid"),
        without(&told, "scope"),
        with(&users, "act", Value::Null),
        with(&services, "act", Value::Null),
        with(&services, "act", nested(4)),
        with(&with(&users, "act", act.clone()), "client_id", json!("a")),
    ] {
        assert_eq!(verify(&bad), Err(Refusal::Invalid("claims")), "{bad}");
    }
    // As deep as may be; and what a user's token says besides makes it no user's.
    assert!(verify(&with(&told, "act", nested(3))).is_ok());
    assert!(matches!(*verify(&with(&services, "act", nested(3))).unwrap(), Token::Service(_)));
    let mixed = verify(&with(&users, "act", act)).unwrap();
    assert!(matches!(*mixed, Token::Delegated(_)));
    assert_eq!(mixed.session(), verify(&users).unwrap().session());
}

/// The service is the user as far as its scopes go, and not at all where a
/// method asks for none.
#[test]
fn a_service_that_acts_for_a_user_does_what_its_scopes_say() {
    let setup = known();
    let (user, actor, now) = (uuid_v4(), uuid_v4(), setup.clock.now());
    let claims = setup.issuer.delegated_claims(user, actor, &["tasks:read"], "test", now);
    let request = call(&setup.verifier, &setup.issuer.token(&claims));
    assert_eq!(Identity::of(&request).unwrap_err().reason(), Reason::ScopeMissing);
    for scope in ["tasks:write", "admin", ""] {
        let refused = Identity::with_scope(&request, scope).unwrap_err();
        assert_eq!(refused.reason(), Reason::ScopeMissing, "{scope}");
    }
    let identity = Identity::with_scope(&request, "tasks:read").unwrap();
    assert!(!identity.is_service());
    assert_eq!(identity.user().unwrap_err().reason(), Reason::ScopeMissing);
    assert_eq!((identity.user_id(), identity.service()), (Some(user), Some(actor)));
    assert_eq!(identity.session(), Some((user, claims.sid)));
    assert_eq!(identity.service_accounts().collect::<Vec<_>>(), [actor]);

    assert_eq!(Who::Me.of(&identity).unwrap(), Some(user));
    let own = name::parse_user(&name::of_user(user)).unwrap();
    assert_eq!(own.of(&identity).unwrap(), Some(user));
    let another = Who::User(uuid_v4()).of(&identity).unwrap_err();
    assert_eq!(another.reason(), Reason::NotYours);
}

/// An issuer looks at what it gave out for others; nobody else believes it, not
/// even after that look.
#[test]
fn what_is_for_others_is_only_introspected() {
    let setup = known();
    let claims = setup.issuer.claims(uuid_v4(), "another", setup.clock.now());
    let token = setup.issuer.token(&claims);
    for _ in 0..2 {
        assert!(setup.verifier.introspect(&token).is_ok());
        assert_eq!(setup.verifier.verify(&token), Err(Refusal::Invalid("audience")));
    }
    let mut other = json!(claims);
    other["iss"] = json!("another");
    let refused = setup.verifier.introspect(&setup.issuer.token(&other));
    assert_eq!(refused, Err(Refusal::Invalid("issuer")));
}
