//! Signing keys: made, published, rotated by time, gone; sealed at rest.

use auth_service::{App, SCHEMA, config::Config};
use clap::Parser as _;
use proto::auth::v1::{GetJsonWebKeySetRequest, GetUserRequest};
use serde_json::json;
use shared::{
    config::Settings as _,
    database::Database,
    testing::{ManualClock, database, eventually},
};
use sqlx::ConnectOptions as _;

use crate::harness::{PASSWORD, TestApp, days, key, minutes};

async fn published(app: &TestApp) -> Vec<String> {
    let keys = app.tokens().get_json_web_key_set(GetJsonWebKeySetRequest {}).await.unwrap();
    keys.into_inner().keys.into_iter().map(|key| key.kid).collect()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn accepted(app: &TestApp, token: &str) -> bool {
    app.account(token).get_user(GetUserRequest::default()).await.is_ok()
}

/// PENDING → ACTIVE → RETIRING → gone, by the clock alone.
#[tokio::test]
async fn keys_rotate_by_time_and_nobody_notices() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let [first] = &published(&app).await[..] else { panic!("one key") };
    assert_eq!(kid(&ada.credentials.access_token), *first);

    // An hour ahead the next key is published, and does not sign yet.
    app.clock.advance(days(30) - minutes(60));
    eventually("the next key is published", async || published(&app).await.len() == 2).await;
    let second = published(&app).await[1].clone();
    let before = app.sign_in(&ada.email, PASSWORD).await.unwrap().access_token;
    assert_eq!(kid(&before), *first);

    // Its time comes without anybody being told.
    app.clock.advance(minutes(58));
    let last = app.sign_in(&ada.email, PASSWORD).await.unwrap().access_token;
    assert_eq!(kid(&last), *first);
    app.clock.advance(minutes(2));
    let after = app.sign_in(&ada.email, PASSWORD).await.unwrap().access_token;
    assert_eq!(kid(&after), second);
    assert!(accepted(&app, &last).await && accepted(&app, &after).await);

    // The old key stays until its last token has expired, and goes then.
    app.clock.advance(minutes(4));
    assert_eq!(published(&app).await.len(), 2);
    app.clock.advance(minutes(2));
    assert_eq!(published(&app).await, std::slice::from_ref(&second));
    eventually("the old key is removed", async || stored(&app).await == 1).await;
    assert!(!accepted(&app, &last).await);
}

async fn stored(app: &TestApp) -> i64 {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let count = sqlx::query_scalar("select count(*) from data.signing_keys");
    count.fetch_one(&mut connection).await.unwrap()
}

/// Replicas that start at once agree on one key.
#[tokio::test]
async fn replicas_agree_on_their_keys() {
    shared::program::install_cryptography();
    let database = database(&SCHEMA).await;
    let clock = ManualClock::new();
    let key = key();
    let open = || {
        let config = Config::parse_from(["auth-service", "--key-encryption-key", &key]);
        App::open(config, Database::new(database.app.clone(), 4), clock.shared())
    };
    let (a, b, c, d) = tokio::join!(open(), open(), open(), open());
    for replica in [a, b, c, d] {
        replica.unwrap();
    }
    let mut connection = database.superuser.connect().await.unwrap();
    let count: i64 = sqlx::query_scalar("select count(*) from data.signing_keys")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(count, 1);
}

/// E6: without its key, or with a weak or another one, the service does not
/// start and says why.
#[tokio::test]
async fn without_the_right_key_the_service_does_not_start() {
    let url = "--database-url=postgres://auth_app@localhost/auth";
    let faults = |flags: &[&str]| {
        let flags = ["auth-service", url].into_iter().chain(flags.iter().copied());
        Config::try_parse_from(flags).unwrap().faults().join("\n")
    };
    assert!(faults(&[]).contains("AUTH_KEY_ENCRYPTION_KEY is missing"));
    assert!(faults(&["--key-encryption-key=secret"]).contains("AUTH_KEY_ENCRYPTION_KEY"));
    assert!(faults(&["--key-encryption-key-file=/nowhere"]).contains("/nowhere"));
    assert_eq!(faults(&["--key-encryption-key", &key()]), "");
    let several = faults(&["--access-token-ttl=2h", "--refresh-grace=1h"]);
    assert!(several.contains("AUTH_ACCESS_TOKEN_TTL") && several.contains("AUTH_REFRESH_GRACE"));

    let app = TestApp::start().await;
    let (database, clock) = app.stop().await;
    let config = Config::parse_from(["auth-service", "--key-encryption-key", &key()]);
    let pool = Database::new(database.app.clone(), 4);
    let refused = App::open(config, pool, clock.shared()).await.err().unwrap();
    assert!(format!("{refused:#}").contains("another key-encryption key"), "{refused:#}");
}

/// Nor does it leave anything behind, although another key is due.
#[tokio::test]
async fn with_the_wrong_key_nothing_is_stored() {
    shared::program::install_cryptography();
    let (right, wrong) = (key(), key());
    let database = database(&SCHEMA).await;
    let app = TestApp::start_on(database, ManualClock::new(), &right, &[]).await;
    let (database, clock) = app.stop().await;
    clock.advance(days(31));
    let config = Config::parse_from(["auth-service", "--key-encryption-key", &wrong]);
    let pool = Database::new(database.app.clone(), 4);
    assert!(App::open(config, pool, clock.shared()).await.is_err());
    let app = TestApp::start_on(database, clock, &right, &[]).await;
    assert_eq!(stored(&app).await, 2);
}

/// The key-encryption key is exchanged without a pause: nobody is signed out.
#[tokio::test]
async fn the_key_encryption_key_can_be_exchanged() {
    shared::program::install_cryptography();
    let (old, new) = (key(), key());
    let database = database(&SCHEMA).await;
    let app = TestApp::start_on(database, ManualClock::new(), &old, &[]).await;
    let ada = app.signed_up("ada").await;
    let (database, clock) = app.stop().await;
    let previous = ["--previous-key-encryption-key", &old];
    let app = TestApp::start_on(database, clock, &new, &previous).await;
    assert!(accepted(&app, &ada.credentials.access_token).await);
    assert!(app.refresh(&ada.credentials.refresh_token).await.is_ok());
}

/// While it is exchanged, replicas that cannot open the newest keys publish them
/// none the less, sign with those they can open, and with none that is withdrawn.
#[tokio::test]
async fn a_key_that_a_replica_cannot_open_is_published_by_it() {
    shared::program::install_cryptography();
    let (old, new) = (key(), key());
    let database = database(&SCHEMA).await;
    let clock = ManualClock::new();
    let open = async |flags: &[&str]| {
        let flags = ["auth-service"].into_iter().chain(flags.iter().copied());
        let pool = Database::new(database.app.clone(), 4);
        App::open(Config::parse_from(flags), pool, clock.shared()).await.unwrap()
    };
    let here = open(&["--key-encryption-key", &old]).await;
    let there = open(&["--key-encryption-key", &new, "--previous-key-encryption-key", &old]).await;
    let kids = |app: &App| -> Vec<String> {
        app.keys().published().into_iter().map(|key| key.kid).collect()
    };
    let first = kids(&here);
    let next = there.keys().rotate(&json!({})).await.unwrap().kid;
    here.keys().reload().await.unwrap();
    assert_eq!(kids(&here), [first[0].clone(), next.clone()]);
    clock.advance(days(1));
    assert_eq!(kid(&here.keys().active().unwrap().sign(&json!({})).unwrap()), first[0]);
    assert_eq!(kid(&there.keys().active().unwrap().sign(&json!({})).unwrap()), next);

    assert!(there.keys().revoke(&first[0], &json!({})).await.unwrap());
    here.keys().reload().await.unwrap();
    assert!(!kids(&here).contains(&first[0]) && here.keys().active().is_err());
}

/// A private key is never in the database in clear.
#[tokio::test]
async fn private_keys_are_sealed() {
    let app = TestApp::start().await;
    let mut connection = app.database.superuser.connect().await.unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed_private_key from data.signing_keys")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    // The algorithm identifier of Ed25519 in any PKCS #8 document.
    assert!(!sealed.windows(5).any(|bytes| bytes == [0x06, 0x03, 0x2b, 0x65, 0x70]));
}
