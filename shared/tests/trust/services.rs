//! Tokens of services: what one may do is in its scopes, and for whom in the
//! name that it gives. It is never taken for a user, nor a user for it.

use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    error::{Fields, Reason},
    interceptor::{Authenticate, Identity},
    name,
    rng::uuid_v4,
    testing::TestIssuer,
    verify::{Refusal, Token, Verifier},
};
use tonic::{Code, Request, service::Interceptor as _};
use tonic_types::StatusExt as _;

use crate::Setup;

pub(crate) fn known() -> Setup {
    believing(TestIssuer::new())
}

/// A verifier that knows the key of this issuer.
pub(crate) fn believing(issuer: TestIssuer) -> Setup {
    let setup = Setup::by(issuer);
    setup.trust.set(std::slice::from_ref(setup.issuer.jwk()), setup.clock.now());
    setup
}

/// A call with this token, as a handler gets it.
pub(crate) fn call(verifier: &Verifier, token: &str) -> Request<()> {
    let mut request = Request::new(());
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut interceptor = Authenticate::new(verifier.clone(), "task.v1.TaskService");
    interceptor.call(request).unwrap()
}

/// RFC 9068, section 2.2: `client_id` tells a service, and it has no session.
#[test]
fn a_token_is_a_users_or_a_services_and_never_both() {
    let setup = known();
    let now = setup.clock.now();
    let users = setup.issuer.claims(uuid_v4(), "test", now);
    let service = setup.issuer.service_claims(uuid_v4(), &["tasks:read"], "test", now);
    let verify = |claims: &Value| setup.verifier.verify(&setup.issuer.token(claims));
    let with = |base: &Value, name: &str, value: Value| {
        let mut claims = base.clone();
        claims[name] = value;
        claims
    };
    let (user, told) = (json!(users), json!(service));
    assert_eq!(*verify(&user).unwrap(), Token::User(users));
    assert_eq!(*verify(&told).unwrap(), Token::Service(service));
    // Read once more, out of the cache.
    assert!(matches!(*verify(&told).unwrap(), Token::Service(_)));

    for bad in [
        with(&user, "client_id", json!("a client")),
        with(&user, "client_id", Value::Null),
        with(&told, "sid", json!(uuid_v4())),
        with(&told, "sid", Value::Null),
        with(&told, "client_id", Value::Null),
        with(&told, "client_id", json!(["a client"])),
        with(&told, "sub", json!("a service")),
        with(&told, "scope", json!(["tasks:read"])),
    ] {
        assert_eq!(verify(&bad), Err(Refusal::Invalid("claims")), "{bad}");
    }
    for (name, value, why) in [
        ("aud", json!("another"), "audience"),
        ("iss", json!("another"), "issuer"),
        ("iat", json!(0), "lifetime"),
    ] {
        let bad = with(&told, name, value);
        assert_eq!(verify(&bad), Err(Refusal::Invalid(why)), "{bad}");
    }
}

/// A method that says nothing of scopes is closed to services; one that asks
/// for a scope is open to exactly those that have it. Users are not asked.
#[test]
fn a_service_does_what_its_scopes_say() {
    let setup = known();
    let now = setup.clock.now();
    let account = uuid_v4();
    let claims = setup.issuer.service_claims(account, &["tasks:write", "x"], "test", now);
    let service = call(&setup.verifier, &setup.issuer.token(&claims));
    assert_eq!(Identity::of(&service).unwrap_err().reason(), Reason::NotYours);
    let identity = Identity::with_scope(&service, "tasks:write").unwrap();
    assert!(identity.is_service() && identity.user().is_err());
    assert_eq!(identity.subject(), account);
    assert_eq!(identity.scopes().collect::<Vec<_>>(), ["tasks:write", "x"]);
    assert_eq!(identity.expires_at(), claims.exp);
    for scope in ["tasks:read", "tasks", "tasks:write x", ""] {
        let refused = Identity::with_scope(&service, scope).unwrap_err().into_status("duet.task");
        let details = refused.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((refused.code(), &*info.reason), (Code::PermissionDenied, "SCOPE_MISSING"));
        assert_eq!(info.metadata["scope"], scope);
    }

    let user = call(&setup.verifier, &setup.token());
    assert!(!Identity::of(&user).unwrap().is_service());
    assert!(!Identity::with_scope(&user, "tasks:read").unwrap().is_service());
    let stray = Identity::with_scope(&Request::new(()), "tasks:read").unwrap_err();
    assert_eq!(stray.reason(), Reason::Internal);
}

/// A service names the user; there is no one that it could mean by `me`.
#[test]
fn a_service_may_name_anybody_but_itself() {
    let setup = known();
    let now = setup.clock.now();
    let claims = setup.issuer.service_claims(uuid_v4(), &["s"], "test", now);
    let service = call(&setup.verifier, &setup.issuer.token(&claims));
    let service = Identity::with_scope(&service, "s").unwrap();
    let (user, task) = (uuid_v4(), uuid_v4());
    let mut fields = Fields::new();
    let named = name::user(&mut fields, "parent", &name::of_user(user), &service).unwrap();
    assert_eq!(named, Some(user));
    let of_member = name::of_member(user, "tasks", task);
    let named = name::member(&mut fields, "name", "tasks", &of_member, &service).unwrap();
    assert_eq!(named, Some((user, task)));
    fields.all(()).unwrap();

    for parent in ["", "users/me"] {
        let mut fields = Fields::new();
        assert_eq!(name::user(&mut fields, "parent", parent, &service).unwrap(), None);
        let task = format!("users/me/tasks/{task}");
        assert_eq!(name::member(&mut fields, "name", "tasks", &task, &service).unwrap(), None);
        let refused = fields.all(()).unwrap_err().into_status("duet.task");
        let details = refused.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        let named: Vec<_> = violations.iter().map(|violation| &*violation.field).collect();
        assert_eq!(named, ["parent", "name"]);
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}
