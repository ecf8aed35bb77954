//! Tokens that nobody may believe, at the door of this service: forged ones,
//! ones that are rightly signed and wrong, and ones that were revoked.

use chrono::TimeDelta;
use proto::task::v1 as pb;
use serde_json::json;
use shared::{
    clock::Clock as _,
    name, rng,
    testing::{
        TestIssuer,
        hostile::{Believed, Call, Door, Row, Verdict, Whose, table},
    },
    trust::{Revocation, Subject},
    verify::{Actor, DelegatedClaims},
};
use tonic::Code;
use uuid::Uuid;

use crate::app::TestApp;

const SCOPES: [&str; 1] = ["tasks:read"];

/// Where this user's tasks are read and watched.
fn door(app: &TestApp, user: Uuid) -> Door {
    let parent = name::of_user(user);
    let list = pb::ListTasksRequest { parent: parent.clone(), ..Default::default() };
    let watch = pb::WatchTasksRequest { parent, ..Default::default() };
    let calls = [
        Call::new("/task.v1.TaskService/ListTasks", &list),
        Call::new("/task.v1.TaskService/WatchTasks", &watch),
    ];
    Door::new(app.address, app.channel.clone(), calls, |_| Code::Ok)
}

/// S3.2, S3.3, E5, FR-016, FR-017: whatever is wrong with a token, it is refused
/// by every way in, in one way that says nothing of why. Keys of both kinds are
/// known, so that one could be taken for the other.
#[tokio::test]
async fn no_hostile_token_is_believed() {
    let app = TestApp::start_with(&["--max-watches-per-user=1000"]).await;
    let (user, service, now) = (rng::uuid_v4(), rng::uuid_v4(), app.clock.now());
    let es256 = TestIssuer::es256();
    app.trust.set(&[app.issuer.jwk().clone(), es256.jwk().clone()], now);
    for issuer in [&app.issuer, &es256] {
        let rows = table(&Believed {
            issuer,
            user: json!(issuer.claims(user, "task-service", now)),
            service: json!(issuer.service_claims(service, &SCOPES, "task-service", now)),
            delegated: json!(issuer.delegated_claims(user, service, &SCOPES, "task-service", now)),
            now: now.timestamp(),
            longest: 3600,
        });
        assert!(rows.iter().filter(|row| row.verdict == Verdict::Refused).count() >= 120);
        assert_eq!(door(&app, user).faults(&rows).await, "");
    }
    // One key's algorithm and signature, under the name of the other.
    let (mine, other) = (&app.issuer, &es256);
    let claims = json!(mine.claims(user, "task-service", now));
    let named = |issuer: &TestIssuer, member: &str, value: &str| {
        let mut header = issuer.header();
        header[member] = json!(value);
        header
    };
    let rows = [
        mine.sign(&named(mine, "kid", &other.jwk().kid), &claims),
        mine.sign(&other.header(), &claims),
        mine.sign(&named(other, "alg", "EdDSA"), &claims),
        other.sign(&named(other, "kid", &mine.jwk().kid), &claims),
        other.sign(&mine.header(), &claims),
        other.sign(&named(mine, "alg", "ES256"), &claims),
    ]
    .map(|token| Row::of("confused", &token, Verdict::Refused));
    assert_eq!(door(&app, user).faults(&rows).await, "");
}

/// What was good until its session, all that its user had, its service or its
/// key was revoked is good no more, although it was believed before.
#[tokio::test]
async fn what_was_revoked_is_believed_no_more() {
    let app = TestApp::start_with(&["--max-watches-per-user=1000"]).await;
    let user = rng::uuid_v4();
    let door = door(&app, user);
    let [reporter, exporter, billing] = std::array::from_fn(|_| rng::uuid_v4());
    let now = app.clock.now();
    let users = || app.issuer.claims(user, "task-service", now);
    let own = |service| app.issuer.service_claims(service, &SCOPES, "task-service", now);
    let acting = |service, session| {
        let claims = app.issuer.delegated_claims(user, service, &SCOPES, "task-service", now);
        DelegatedClaims { sid: session, ..claims }
    };
    let (laptop, phone) = (users(), users());
    let mut chain = acting(reporter, phone.sid);
    chain.act.act =
        Some(Box::new(Actor { sub: exporter, client_id: "exporter".to_owned(), act: None }));
    let tokens = [
        ("laptop", Whose::User, app.issuer.token(&laptop)),
        ("on the laptop", Whose::Delegated, app.issuer.token(&acting(billing, laptop.sid))),
        ("phone", Whose::User, app.issuer.token(&phone)),
        ("on the phone", Whose::Delegated, app.issuer.token(&acting(billing, phone.sid))),
        ("exporter", Whose::Service, app.issuer.token(&own(exporter))),
        ("exporter for the user", Whose::Delegated, app.issuer.token(&acting(exporter, phone.sid))),
        ("exporter before another", Whose::Delegated, app.issuer.token(&chain)),
        ("reporter", Whose::Service, app.issuer.token(&own(reporter))),
    ];
    let rows = |verdicts: [Option<Verdict>; 8]| {
        let verdict =
            |whose: &Whose, verdict: Option<_>| verdict.unwrap_or(Verdict::Believed(*whose));
        let rows = tokens.iter().zip(verdicts);
        rows.map(|((name, whose, token), other)| Row::of(name, token, verdict(whose, other)))
            .collect::<Vec<_>>()
    };
    let revoke = |subject, after: i64| {
        let not_before = now + TimeDelta::seconds(after);
        let expires_at = now + TimeDelta::seconds(310);
        app.trust.revoke([Revocation { subject, not_before, expires_at }], now);
    };
    let (ended, unknown) = (Some(Verdict::Revoked), Some(Verdict::Refused));
    assert_eq!(door.faults(&rows([None; 8])).await, "");

    revoke(Subject::Session { user, session: laptop.sid }, 0);
    let after = [ended, ended, None, None, None, None, None, None];
    assert_eq!(door.faults(&rows(after)).await, "");
    // What there was of a service, which has no session to be told of.
    revoke(Subject::Service(exporter), 1);
    let after = [ended, ended, None, None, unknown, unknown, unknown, None];
    assert_eq!(door.faults(&rows(after)).await, "");
    revoke(Subject::User(user), 1);
    let after = [ended, ended, ended, ended, unknown, ended, ended, None];
    assert_eq!(door.faults(&rows(after)).await, "");
    app.trust.set(&[TestIssuer::new().jwk().clone()], now);
    assert_eq!(door.faults(&rows([unknown; 8])).await, "");
}
