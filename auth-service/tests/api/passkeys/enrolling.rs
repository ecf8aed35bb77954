//! Adding passkeys: what browsers are told, how many there may be, and what a new
//! one changes.

use std::time::Duration;

use proto::auth::v1::{
    DeleteFactorRequest, Factor, FactorKind, GetUserRequest, ListFactorsRequest,
    complete_sign_in_request::Code::RecoveryCode,
};
use serde_json::json;
use shared::clock::Clock as _;
use tonic::Code;

use super::device::{
    HAS_CREDENTIAL, HAS_EXTENSIONS, HOST, Key, Making, PUBLIC_URL, Passkey, USER_PRESENT,
    USER_VERIFIED, begin, begun, confirm, decoded, encoded, options, with_passkey,
};
use crate::{
    authenticator::{Authenticator, challenged, signed_in},
    harness::{PASSWORD, TestApp, Told as _, minutes},
};

/// Tokens and proofs that outlive what the tests are about.
const LONG: [&str; 3] = [PUBLIC_URL, "--access-token-ttl=1h", "--max-auth-age=1h"];

async fn listed(app: &TestApp, token: &str) -> Vec<Factor> {
    let listed = app.account(token).list_factors(ListFactorsRequest::default()).await;
    listed.unwrap().into_inner().factors
}

async fn delete(app: &TestApp, token: &str, name: &str) {
    let request = DeleteFactorRequest { name: name.to_owned() };
    app.account(token).delete_factor(request).await.unwrap();
}

/// What a browser is told, word for word, and that nothing counts before it answered.
#[tokio::test]
async fn a_passkey_counts_from_its_confirmation_on() {
    let app = TestApp::start_with(&[PUBLIC_URL, "--totp-issuer=Tasks & Co"]).await;
    let ada = app.signed_up("ada").await;
    let begun = begun(&app, ada.token()).await;
    assert_eq!(begun.expire_time.unwrap().seconds - app.clock.now().timestamp(), 600);
    let told = options(&begun.creation_options);
    let challenge = decoded(&told["challenge"]);
    assert_eq!(challenge.len(), 40);
    let user: uuid::Uuid = ada.name.strip_prefix("users/").unwrap().parse().unwrap();
    let expected = json!({
        "rp": { "id": HOST, "name": "Tasks & Co" },
        "user": {
            "id": encoded(user.as_bytes()),
            "name": "ada@example.org",
            "displayName": "ada@example.org",
        },
        "challenge": encoded(&challenge),
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 },
            { "type": "public-key", "alg": -8 },
        ],
        "timeout": 600_000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "discouraged",
            "requireResidentKey": false,
            "userVerification": "preferred",
        },
        "attestation": "none",
    });
    assert_eq!(told, expected);
    assert_eq!(listed(&app, ada.token()).await, []);
    app.sign_in(&ada.email, PASSWORD).await.unwrap();

    let made = Making::of(&begun.creation_options, &Key::es256());
    let confirmed = confirm(&app, ada.token(), &begun.name, &made.json()).await.unwrap();
    assert_eq!(confirmed.recovery_codes.len(), 10);
    let factor = confirmed.factor.unwrap();
    assert_eq!((factor.kind(), factor.display_name.as_str()), (FactorKind::Passkey, "Laptop"));
    assert_eq!((factor.name.as_str(), factor.last_use_time), (begun.name.as_str(), None));
    let all = listed(&app, ada.token()).await;
    assert_eq!(all.iter().find(|one| one.kind() == FactorKind::Passkey), Some(&factor));
    assert_eq!(all.len(), 2);
    challenged(&app, &ada).await;
    let next = options(&self::begun(&app, ada.token()).await.creation_options);
    assert_eq!(
        next["excludeCredentials"],
        json!([{ "type": "public-key", "id": encoded(&made.id) }])
    );
}

/// Five of a kind, ten minutes each, and each confirmed once.
#[tokio::test]
async fn enrolments_are_bounded_in_time_and_number() {
    let app = TestApp::start_with(&LONG).await;
    let ada = app.signed_up("ada").await;
    let (token, key) = (ada.token(), Key::ed25519());
    let many = [begun(&app, token).await, begun(&app, token).await];
    let [late, spare] = many.each_ref().map(|one| Making::of(&one.creation_options, &key).json());
    app.clock.advance(minutes(10) - Duration::from_micros(1));
    confirm(&app, token, &many[1].name, &spare).await.unwrap();
    app.clock.advance(Duration::from_micros(1));
    let refused = confirm(&app, token, &many[0].name, &late).await.unwrap_err();
    refused.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(refused.fields(), ["credential"]);

    let last = begun(&app, token).await;
    let last = (&last.name, Making::of(&last.creation_options, &key).json());
    for n in 1..5 {
        let one = Passkey::enrolled(&app, token, Key::es256()).await;
        assert_eq!(one.recovery_codes.len(), 0, "{n}");
    }
    let full = begin(&app, token).await.unwrap_err();
    full.is(Code::ResourceExhausted, "FACTOR_QUOTA");
    let full = confirm(&app, token, last.0, &last.1).await.unwrap_err();
    full.is(Code::ResourceExhausted, "FACTOR_QUOTA");
    // Authenticators are counted by themselves.
    for _ in 0..5 {
        Authenticator::enrolled(&app, token).await;
    }
    assert_eq!(listed(&app, token).await.len(), 11);
    let used = confirm(&app, token, &many[1].name, &spare).await.unwrap_err();
    used.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(listed(&app, token).await.len(), 11);
}

/// The recovery codes come with the first factor and go with the last, whatever
/// these are; one that is gone opens nothing.
#[tokio::test]
async fn recovery_codes_come_with_the_first_and_go_with_the_last_factor() {
    let app = TestApp::start_with(&LONG).await;
    let ada = app.signed_up("ada").await;
    let token = ada.token();
    let authenticator = Authenticator::enrolled(&app, token).await;
    assert_eq!(authenticator.recovery_codes.len(), 10);
    let passkey = Passkey::enrolled(&app, token, Key::es256()).await;
    assert_eq!(passkey.recovery_codes.len(), 0);
    delete(&app, token, &authenticator.name).await;
    let challenge = challenged(&app, &ada).await;
    assert!(!challenge.passkey_options.is_empty());
    let code = RecoveryCode(authenticator.recovery_codes[0].clone());
    signed_in(&app, &ada, code).await.unwrap();
    delete(&app, token, &passkey.name).await;
    assert_eq!(listed(&app, token).await, []);
    app.sign_in(&ada.email, PASSWORD).await.unwrap();
}

/// What was begun before a passkey was removed adds none: not the one that was removed,
/// and no other.
#[tokio::test]
async fn a_passkey_that_was_removed_does_not_come_back() {
    let app = TestApp::start_with(&LONG).await;
    let ada = app.signed_up("ada").await;
    let (begun, other) = (begun(&app, ada.token()).await, begun(&app, ada.token()).await);
    let answer = Making::of(&begun.creation_options, &Key::es256()).json();
    confirm(&app, ada.token(), &begun.name, &answer).await.unwrap();
    app.clock.advance(Duration::from_secs(1));
    delete(&app, ada.token(), &begun.name).await;
    let waiting = Making::of(&other.creation_options, &Key::es256()).json();
    for (name, answer) in [(&begun.name, &answer), (&other.name, &waiting)] {
        let refused = confirm(&app, ada.token(), name, answer).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), ["credential"]);
    }
    assert_eq!(listed(&app, ada.token()).await, []);
    Passkey::enrolled(&app, ada.token(), Key::es256()).await;
}

/// Who signed in by the password alone showed no factor: that ends.
#[tokio::test]
async fn the_first_passkey_ends_every_other_session() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let ada = app.signed_up("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    Passkey::enrolled(&app, ada.token(), Key::es256()).await;
    let ended = app.account(&other.access_token).get_user(GetUserRequest::default()).await;
    ended.unwrap_err().is(Code::Unauthenticated, "SESSION_REVOKED");
    app.refresh(&other.refresh_token).await.unwrap_err();
    app.account(ada.token()).get_user(GetUserRequest::default()).await.unwrap();
}

/// The longest id, extensions, and a passkey that is kept elsewhere, too.
#[tokio::test]
async fn unusual_devices_are_taken() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let ada = app.signed_up("ada").await;
    for (length, flags, extensions) in [
        (1, USER_PRESENT | HAS_CREDENTIAL, b"".as_slice()),
        (1023, USER_PRESENT | USER_VERIFIED | HAS_CREDENTIAL, b""),
        (16, USER_PRESENT | HAS_CREDENTIAL | HAS_EXTENSIONS, b"\xa1\x63abc\xf5"),
    ] {
        let begun = begun(&app, ada.token()).await;
        let key = Key::es256();
        let mut made = Making::of(&begun.creation_options, &key);
        made.id = vec![7; length];
        (made.raw_id, made.flags) = (made.id.clone(), flags);
        made.extensions = extensions.to_vec();
        confirm(&app, ada.token(), &begun.name, &made.json()).await.unwrap();
    }
    let challenge = challenged(&app, &ada).await;
    assert_eq!(
        options(&challenge.passkey_options)["allowCredentials"].as_array().unwrap().len(),
        3
    );
}

/// Where nobody knows the page, or browsers would let no passkey belong to it.
#[tokio::test]
async fn without_a_page_there_are_no_passkeys() {
    for flags in [&[][..], &["--public-url=https://192.0.2.1:8443"]] {
        let app = TestApp::start_with(flags).await;
        let ada = app.signed_up("ada").await;
        let refused = begin(&app, ada.token()).await.unwrap_err();
        refused.is(Code::FailedPrecondition, "PASSKEYS_UNAVAILABLE");
        let name = format!("{}/factors/{}", ada.name, uuid::Uuid::nil());
        let refused = confirm(&app, ada.token(), &name, "{}").await.unwrap_err();
        refused.is(Code::FailedPrecondition, "PASSKEYS_UNAVAILABLE");
    }
}

/// One that was added before the page was lost is still a second factor, and the
/// codes on paper are the way in.
#[tokio::test]
async fn a_page_that_is_gone_opens_no_account() {
    shared::program::install_cryptography();
    let (database, key) =
        (shared::testing::database(&auth_service::SCHEMA).await, crate::harness::key());
    let app = TestApp::start_on(database, Default::default(), &key, &[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let (database, clock) = app.stop().await;
    let app = TestApp::start_on(database, clock, &key, &[]).await;
    let challenge = challenged(&app, &ada).await;
    assert_eq!(challenge.passkey_options, "");
    let kinds: Vec<FactorKind> = challenge.factor_kinds().collect();
    assert_eq!(kinds, [FactorKind::RecoveryCodes]);
    let asked = super::asked(&app, ada.token()).await;
    assert_eq!(asked.factor_kinds().collect::<Vec<_>>(), [FactorKind::RecoveryCodes]);
    assert_eq!((asked.passkey_options.as_str(), asked.expire_time), ("", None));
    let code = RecoveryCode(passkey.recovery_codes[0].clone());
    signed_in(&app, &ada, code).await.unwrap();
}
