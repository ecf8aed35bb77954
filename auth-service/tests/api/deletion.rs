//! Deleting an account: who can no longer do what, what is left of it, and how
//! the services that had something of the user come to confirm.

use auth_service::{
    SCHEMA,
    client::Client,
    deletion::{self, Wish, receipt::ReceiptToken},
    email::Email,
    error::Error,
    sealing::Sealer,
    service_accounts::ServiceAccount,
    sessions::Caller,
};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::{
    DeleteUserRequest, GetDeletionReceiptRequest, GetDeletionReceiptResponse, GetUserRequest,
    ListSessionsRequest, VerifyTokenResponse,
};
use serde_json::Value;
use shared::{
    clock::Clock as _,
    rng,
    secret::Key,
    testing::{ManualClock, database},
};
use sqlx::ConnectOptions as _;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    harness::{PASSWORD, Person, TestApp, Told as _, days, key, minutes},
    services::{audited, dump},
};

pub(crate) const REQUEST: &str = "7b1de3a5-0c7d-4f43-9f0f-1a8f6c7c2d11";

impl TestApp {
    pub(crate) async fn delete(&self, person: &Person, request_id: &str) -> Result<String, Status> {
        let request = person.deletion(request_id);
        let answer = self.account(person.token()).delete_user(request).await?;
        Ok(answer.into_inner().receipt_token)
    }

    pub(crate) async fn receipt(&self, token: &str) -> Result<GetDeletionReceiptResponse, Status> {
        let request = GetDeletionReceiptRequest { receipt_token: token.to_owned() };
        Ok(self.auth().get_deletion_receipt(request).await?.into_inner())
    }

    pub(crate) async fn watching(&self, name: &str) -> ServiceAccount {
        self.service(name, &["trust:watch"]).await.0
    }

    pub(crate) async fn pending(&self, service: &ServiceAccount) -> Vec<Uuid> {
        deletion::pending(&self.own_database(), service.id, None).await.unwrap()
    }

    pub(crate) async fn confirm(&self, user: Uuid, service: &ServiceAccount) -> bool {
        deletion::confirm(&self.own_database(), user, service.id, self.clock.now()).await.unwrap()
    }

    pub(crate) async fn sweep(&self) {
        deletion::sweep(&self.own_database(), self.clock.now()).await.unwrap();
    }
}

pub(crate) fn id(person: &Person) -> Uuid {
    person.name.strip_prefix("users/").unwrap().parse().unwrap()
}

/// What is stored, but for the notes that replicas make all the time.
async fn stored(app: &TestApp) -> Vec<String> {
    let dump = dump(app).await;
    let lines = dump.lines().filter(|line| !line.starts_with("data.trust_replicas"));
    lines.map(str::to_owned).collect()
}

/// The lines of the database that name a user, by id or by address.
pub(crate) async fn traces(app: &TestApp, person: &Person) -> Vec<String> {
    let user = id(person).to_string();
    let dump = dump(app).await;
    let traces = dump.lines().filter(|line| line.contains(&user) || line.contains(&person.email));
    traces.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_deleted_account_is_gone_for_everybody_at_once() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    let phone = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let service = app.watching("task-service").await;
    app.delete(&ada, REQUEST).await.unwrap();

    let sign_in = app.sign_in(&ada.email, PASSWORD).await.unwrap_err();
    sign_in.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    for session in [&ada.credentials, &phone] {
        let refresh = app.refresh(&session.refresh_token).await.unwrap_err();
        refresh.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
        let mut account = app.account(&session.access_token);
        let live = account.get_user(GetUserRequest::default()).await.unwrap_err();
        live.is(Code::Unauthenticated, "SESSION_REVOKED");
        let said = app.introspect(&session.access_token).await;
        assert_eq!(said, VerifyTokenResponse::default());
    }
    // The mail with the receipt is to be sent yet.
    let accounting = ["data.deletions", "data.erasures", "data.outbox"];
    let expected = [&accounting[..], &["data.trust_events"; 2]].concat();
    assert_eq!(traces(&app, &ada).await, expected);
    assert_eq!(app.pending(&service).await, [id(&ada)]);
    assert!(app.introspect(bob.token()).await.active);

    // The address is free, and whoever takes it sees nothing of before.
    let newcomer = app.signed_up("ada").await;
    assert_ne!(newcomer.name, ada.name);
    let kinds = app.all_activity(newcomer.token()).await;
    assert_eq!(kinds.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>(), ["sign_up"]);
    let mut account = app.account(newcomer.token());
    let sessions = account.list_sessions(ListSessionsRequest::default());
    assert_eq!(sessions.await.unwrap().into_inner().sessions.len(), 1);
}

/// What verifiers are told covers every token there is, and the log of the
/// service says that an account went, and not whose.
#[tokio::test]
async fn verifiers_and_services_are_told_and_the_log_names_nobody() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    app.watching("task-service").await;
    app.delete(&ada, REQUEST).await.unwrap();
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let told: Vec<(String, bool)> = sqlx::query_as(
        "select kind, not_before >= created_at from data.trust_events
         where subject_id = $1 order by rev",
    )
    .bind(id(&ada))
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert_eq!(told, [("user".to_owned(), true), ("erase".to_owned(), true)]);
    assert_eq!(audited(&app).await.last().unwrap(), "user.deleted");
    let said: String =
        sqlx::query_scalar("select e::text from data.audit_events e where kind = 'user.deleted'")
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    for personal in [&ada.email, &id(&ada).to_string(), "127.0.0", "tonic"] {
        assert!(!said.contains(personal), "{said}");
    }
}

#[tokio::test]
async fn only_the_address_of_the_account_deletes_it() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    let mut account = app.account(ada.token());
    for (email, request_id, fields) in [
        (bob.email.as_str(), "", vec!["email"]),
        ("ada@example.com", "", vec!["email"]),
        ("", "one", vec!["email", "request_id"]),
    ] {
        let (email, request_id) = (email.to_owned(), request_id.to_owned());
        let wish = DeleteUserRequest { name: String::new(), email, request_id };
        let refused = account.delete_user(wish).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), fields);
    }
    assert!(app.introspect(ada.token()).await.active);
    let shouted = DeleteUserRequest { email: ada.email.to_uppercase(), ..ada.deletion("") };
    account.delete_user(shouted).await.unwrap();
}

/// AIP-155: the same request does nothing twice and has one receipt; another
/// request comes too late. Over the wire the token may be refused by then.
#[tokio::test]
async fn the_same_request_is_answered_the_same_and_another_one_is_not() {
    shared::program::install_cryptography();
    let key = Key::random();
    let database = database(&SCHEMA).await;
    let app = TestApp::start_on(database, ManualClock::new(), &key.to_base64(), &[]).await;
    let ada = app.signed_up("ada").await;
    let token = app.delete(&ada, REQUEST).await.unwrap();
    assert!(!dump(&app).await.contains(&token));

    let session = ada.credentials.session.rsplit('/').next().unwrap().parse().unwrap();
    let (user, now) = (id(&ada), app.clock.now());
    let caller = Caller { user, session, client: Client::current(), now };
    let email = Email::parse(&ada.email).unwrap();
    let wish = |request: Uuid| {
        let receipt = ReceiptToken::of(&Sealer::new(&key, None), user, request, &email);
        let services = vec!["task-service".to_owned()];
        Wish { email: email.clone(), request, receipt, services, mail: None }
    };
    let same = wish(REQUEST.parse().unwrap());
    assert_eq!(same.receipt.seal().expose(), token);
    let before = stored(&app).await;
    deletion::delete(&app.own_database(), &caller, &same).await.unwrap();
    let other = deletion::delete(&app.own_database(), &caller, &wish(rng::uuid_v4())).await;
    assert!(matches!(other, Err(Error::SessionOver)), "{other:?}");
    assert_eq!(stored(&app).await, before);

    // Of many at once one is done, and nobody gets another receipt.
    let bob = app.signed_up("bob").await;
    let (again, late) = (app.delete(&bob, REQUEST), app.delete(&bob, ""));
    let (first, again, late) = tokio::join!(app.delete(&bob, REQUEST), again, late);
    let mut receipts = Vec::new();
    for answer in [first, again, late] {
        match answer {
            Ok(receipt) => receipts.push(receipt),
            Err(status) => status.is(Code::Unauthenticated, "SESSION_REVOKED"),
        }
    }
    assert!(!receipts.is_empty());
    receipts.dedup();
    assert_eq!(receipts.len(), 1);
    assert!(app.receipt(&receipts[0]).await.is_ok());
}

/// Services confirm when they can, whatever restarts meanwhile; then there is a
/// statement that anybody can check by the published keys.
#[tokio::test]
async fn a_receipt_says_which_service_has_erased_everything_when() {
    shared::program::install_cryptography();
    let key = key();
    let flags = ["--erasing-services=task-service,notes"];
    let app = TestApp::start_on(database(&SCHEMA).await, ManualClock::new(), &key, &flags).await;
    let (tasks, notes) = (app.watching("task-service").await, app.watching("notes").await);
    app.service("mirror", &["tasks:read"]).await;
    let ada = app.signed_up("ada").await;
    let token = app.delete(&ada, REQUEST).await.unwrap();
    let deleted_at = app.clock.now().timestamp();

    app.clock.advance(minutes(1));
    assert!(app.confirm(id(&ada), &tasks).await);
    let confirmed_at = app.clock.now().timestamp();
    let half = app.receipt(&token).await.unwrap();
    assert_eq!(half.delete_time.unwrap().seconds, deleted_at);
    let erasures: Vec<_> = half
        .erasures
        .iter()
        .map(|it| (it.service.as_str(), it.erase_time.map(|time| time.seconds)))
        .collect();
    assert_eq!(erasures, [("notes", None), ("task-service", Some(confirmed_at))]);
    assert_eq!(half.receipt, "");

    // This service restarts, the other one's account is made anew.
    let (database, clock) = app.stop().await;
    let app = TestApp::start_on(database, clock, &key, &[]).await;
    app.delete_service("notes").await;
    assert!(app.pending(&notes).await.is_empty());
    let notes = app.watching("notes").await;
    assert_eq!(app.pending(&notes).await, [id(&ada)]);
    assert!(app.pending(&tasks).await.is_empty());
    app.clock.advance(minutes(5));
    assert!(app.confirm(id(&ada), &notes).await && app.confirm(id(&ada), &tasks).await);
    assert!(!app.confirm(rng::uuid_v4(), &tasks).await);

    let whole = app.receipt(&token).await.unwrap();
    let (header, said) = checked(&app, &whole.receipt).await;
    assert_eq!(header["typ"], "duet-erasure+jwt");
    assert_eq!(
        (&said["sub"], &said["iss"]),
        (&id(&ada).to_string().into(), &"https://auth.test".into())
    );
    assert_eq!(said["deleted_at"], deleted_at);
    assert_eq!(said["iat"], app.clock.now().timestamp());
    assert!(said["jti"].as_str().is_some_and(|jti| Uuid::try_parse(jti).is_ok()));
    let services = serde_json::json!([
        { "service": "notes", "erased_at": app.clock.now().timestamp() },
        // The first time counts.
        { "service": "task-service", "erased_at": confirmed_at },
    ]);
    assert_eq!(said["services"], services);
    // It is no access token, whatever it is signed with.
    assert_eq!(app.introspect(&whole.receipt).await, VerifyTokenResponse::default());
}

/// A JWS as anybody would check it: by the key set over HTTP, and by nothing of
/// ours.
pub(crate) async fn checked(app: &TestApp, jws: &str) -> (Value, Value) {
    checked_at(&format!("http://{}", app.address), jws).await
}

/// The same, where a service is at this URL.
pub(crate) async fn checked_at(service: &str, jws: &str) -> (Value, Value) {
    let url = format!("{service}/.well-known/jwks.json");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let set = client.get(&url).send().await.unwrap().bytes().await.unwrap();
    let set: Value = serde_json::from_slice(&set).unwrap();
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let [header, payload] =
        [header, payload].map(|part| serde_json::from_slice::<Value>(&decode(part)).unwrap());
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&header["alg"], &key["crv"]), (&"EdDSA".into(), &"Ed25519".into()));
    let public = decode(key["x"].as_str().unwrap());
    let verifying = UnparsedPublicKey::new(&ED25519, public);
    verifying.verify(signed.as_bytes(), &decode(signature)).unwrap();
    assert!(verifying.verify(b"other", &decode(signature)).is_err());
    (header, payload)
}

#[tokio::test]
async fn where_nobody_else_has_anything_the_receipt_is_there_at_once() {
    let app = TestApp::start_with(&["--erasing-services="]).await;
    let ada = app.signed_up("ada").await;
    let token = app.delete(&ada, REQUEST).await.unwrap();
    let receipt = app.receipt(&token).await.unwrap();
    let (_, said) = checked(&app, &receipt.receipt).await;
    assert_eq!((said["services"].clone(), receipt.erasures.len()), (serde_json::json!([]), 0));

    for bad in ["", "dr_", "junk", &token[..token.len() - 1], &token.to_lowercase()] {
        let refused = app.receipt(bad).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), ["receipt_token"]);
    }
    // Well written, and of no deletion; then of one of more than a year ago.
    let other = TestApp::start().await;
    other.receipt(&token).await.unwrap_err().is(Code::NotFound, "RECEIPT_NOT_FOUND");
    app.clock.advance(days(364));
    app.sweep().await;
    app.receipt(&token).await.unwrap();
    app.clock.advance(days(3));
    app.receipt(&token).await.unwrap_err().is(Code::NotFound, "RECEIPT_NOT_FOUND");
    app.sweep().await;
    let traces = traces(&app, &ada).await;
    assert!(!traces.iter().any(|table| table == "data.deletions"), "{traces:?}");
}

/// A call that ran beside the deletion may have written its part after it.
#[tokio::test]
async fn what_was_written_beside_the_deletion_is_swept() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    app.watching("task-service").await;
    app.delete(&ada, REQUEST).await.unwrap();
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let late = "select data.audit($1, 'session.reused', '{}', null, null, now())";
    let mut write = async || {
        sqlx::query(late).bind(id(&ada)).execute(&mut superuser).await.unwrap();
    };
    let kept = async || {
        let mut traces = traces(&app, &ada).await;
        traces.retain(|table| table != "data.trust_events" && table != "data.outbox");
        traces
    };
    let expected = ["data.deletions", "data.erasures"];
    for _ in 0..2 {
        write().await;
        assert_eq!(kept().await.len(), 4);
        app.sweep().await;
        assert_eq!(kept().await, expected);
        app.clock.advance(minutes(2));
    }
    // What is not confirmed yet is not forgotten, however long it takes.
    app.sweep().await;
    app.clock.advance(days(800));
    app.sweep().await;
    assert_eq!(kept().await, expected);
}
