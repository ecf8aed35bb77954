//! Tokens that nobody may believe, at the door of the accounts: forged ones,
//! ones that are rightly signed and wrong, and ones that were revoked. The test
//! holds the key that the service signs with.

use auth_service::{SCHEMA, sealing::Sealer};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::{ExchangeTokenRequest, ExportUserRequest, GetUserRequest, SignOutRequest};
use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    program,
    secret::Key,
    testing::{
        ManualClock, TestIssuer, database, eventually,
        hostile::{Believed, Call, Door, Row, Verdict, Whose, table},
    },
};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    harness::{Person, TestApp},
    services::owned,
};

/// A service that signs with this issuer's key.
async fn signing_as(issuer: &TestIssuer) -> TestApp {
    program::install_cryptography();
    let (clock, key, database) = (ManualClock::new(), Key::random(), database(&SCHEMA).await);
    let jwk = issuer.jwk();
    let mut superuser = database.superuser.connect().await.unwrap();
    sqlx::query(
        "insert into data.signing_keys (generation, kid, algorithm, public_key,
             sealed_private_key, activates_at, created_at)
         values (1, $1, $2, $3, $4, $5, $5)",
    )
    .bind(&jwk.kid)
    .bind(&jwk.alg)
    .bind(json!(jwk))
    .bind(Sealer::new(&key, None).seal(&jwk.kid, &issuer.private_key()))
    .bind(clock.now())
    .execute(&mut superuser)
    .await
    .unwrap();
    TestApp::start_on(database, clock, &key.to_base64(), &[]).await
}

/// Ada, and tokens of every kind as the service itself gives them out.
struct Given {
    ada: Person,
    users: String,
    services: String,
    exchanged: String,
}

impl Given {
    async fn by(app: &TestApp) -> Self {
        let ada = app.signed_up("ada").await;
        let (_, secret) = app.service("exporter", &["token:exchange", "tasks:read"]).await;
        let (users, services) =
            (ada.credentials.access_token.clone(), app.service_token(&secret).await.unwrap());
        let request = ExchangeTokenRequest {
            subject_token: users.clone(),
            actor_token: services.clone(),
            audience: owned(&["auth-service"]),
            scopes: owned(&["tasks:read"]),
        };
        let exchanged = app.tokens().exchange_token(request).await.unwrap().into_inner();
        Self { ada, users, services, exchanged: exchanged.access_token }
    }
}

fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Where an account is read and taken out: by its user, and by no service.
fn door(app: &TestApp) -> Door {
    let calls = [
        Call::new("/auth.v1.AccountService/GetUser", &GetUserRequest::default()),
        Call::new("/auth.v1.AccountService/ExportUser", &ExportUserRequest::default()),
    ];
    Door::new(app.address, app.channel.clone(), calls, |whose| match whose {
        Whose::User => Code::Ok,
        Whose::Service | Whose::Delegated => Code::PermissionDenied,
    })
}

/// S3.2, S3.3, E5: whatever is wrong with a token, it is refused by every way
/// in, in one way that says nothing of why.
#[tokio::test]
async fn no_hostile_token_is_believed() {
    let issuer = TestIssuer::new();
    let app = signing_as(&issuer).await;
    let given = Given::by(&app).await;
    let rows = table(&Believed {
        issuer: &issuer,
        user: payload(&given.users),
        service: payload(&given.services),
        delegated: payload(&given.exchanged),
        now: app.clock.now().timestamp(),
        longest: 300,
    });
    assert!(rows.iter().filter(|row| row.verdict == Verdict::Refused).count() >= 120);
    assert_eq!(door(&app).faults(&rows).await, "");
}

/// What was good until its session or its service account ended is good no
/// more, although it was believed before.
#[tokio::test]
async fn what_was_revoked_is_believed_no_more() {
    let app = signing_as(&TestIssuer::new()).await;
    let given = Given::by(&app).await;
    let phone = app.sign_in(&given.ada.email, crate::harness::PASSWORD).await.unwrap().access_token;
    let door = door(&app);
    let rows = |users, services, exchanged| {
        [
            Row::of("the user's", &given.users, users),
            Row::of("the service's", &given.services, services),
            Row::of("the exchanged one", &given.exchanged, exchanged),
            Row::of("another session's", &phone, Verdict::Believed(Whose::User)),
        ]
    };
    let believed = |whose| Verdict::Believed(whose);
    let all = [Whose::User, Whose::Service, Whose::Delegated].map(believed);
    assert_eq!(door.faults(&rows(all[0], all[1], all[2])).await, "");

    let sign_out = SignOutRequest { refresh_token: given.ada.credentials.refresh_token.clone() };
    app.auth().sign_out(sign_out).await.unwrap();
    let signed_out = rows(Verdict::Revoked, all[1], Verdict::Revoked);
    eventually("the session is refused", async || door.faults(&signed_out).await.is_empty()).await;
    app.delete_service("exporter").await;
    // Nothing but the database was told.
    let deleted = rows(Verdict::Revoked, Verdict::Refused, Verdict::Revoked);
    app.clock.advance(std::time::Duration::from_secs(2));
    eventually("the service is refused", async || door.faults(&deleted).await.is_empty()).await;
}
