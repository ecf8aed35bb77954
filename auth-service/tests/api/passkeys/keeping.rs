//! What is kept of passkeys: sealed, under the key-encryption key of the day, shown
//! to their owner without what they are checked by, and gone with the account.

use proto::auth::v1::{
    DeleteFactorRequest, FactorKind, ListFactorsRequest,
    complete_sign_in_request::Code::PasskeyAssertion,
};
use serde_json::Value;
use shared::testing::eventually;
use sqlx::ConnectOptions as _;

use super::device::{Key, Making, PUBLIC_URL, Passkey, begun, confirm, with_passkey};
use crate::{
    authenticator::{Authenticator, challenged, complete},
    export::exported,
    harness::{TestApp, key, minutes},
    inside::{everything, hex},
    recovery::{self, VERIFY},
    smtp::MailServer,
};

/// Whoever reads the database or the log learns neither which device it is nor by
/// what its answers are checked.
#[tokio::test]
async fn a_passkey_is_in_the_database_sealed_or_not_at_all() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let pending = begun(&app, ada.token()).await;
    let challenge = challenged(&app, &ada).await;
    let answer = passkey.answer(&challenge.passkey_options);
    complete(&app, &challenge.token, PasskeyAssertion(answer.clone())).await.unwrap();
    let dump = everything(&app).await;
    assert!(dump.contains("passkey") && dump.contains("sign_in.challenged"));
    let spki = passkey.key.spki();
    let id = pending.name.rsplit('/').next().unwrap().to_owned();
    for secret in [
        hex(&passkey.id),
        hex(&spki[27..59]),
        hex(&spki[59..]),
        super::device::encoded(&passkey.id),
        super::device::encoded(&spki),
        answer,
        id,
    ] {
        assert!(!dump.to_lowercase().contains(&secret.to_lowercase()), "{secret}");
    }
}

/// The key-encryption key before can be forgotten soon: what it sealed is sealed
/// anew by then; what was asked under it is answered still.
#[tokio::test]
async fn a_passkey_outlives_the_key_that_sealed_it() {
    shared::program::install_cryptography();
    let (database, old, new) =
        (shared::testing::database(&auth_service::SCHEMA).await, key(), key());
    let app = TestApp::start_on(database, Default::default(), &old, &[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::ed25519()).await;
    let before = challenged(&app, &ada).await;
    let sealed = sealed(&app).await;
    let (database, clock) = app.stop().await;
    let previous = format!("--previous-key-encryption-key={old}");
    let app = TestApp::start_on(database, clock, &new, &[PUBLIC_URL, &previous]).await;
    let answer = PasskeyAssertion(passkey.answer(&before.passkey_options));
    complete(&app, &before.token, answer).await.unwrap();
    eventually("the passkey is sealed anew", async || {
        app.clock.advance(minutes(10));
        self::sealed(&app).await != sealed
    })
    .await;
    let (database, clock) = app.stop().await;
    let mut connection = database.superuser.connect().await.unwrap();
    sqlx::query("delete from data.signing_keys").execute(&mut connection).await.unwrap();
    let app = TestApp::start_on(database, clock, &new, &[PUBLIC_URL]).await;
    let challenge = challenged(&app, &ada).await;
    let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
    complete(&app, &challenge.token, answer).await.unwrap();
}

async fn sealed(app: &TestApp) -> Vec<u8> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let secret = "select sealed_secret from data.factors where kind = 'passkey'";
    sqlx::query_scalar(secret).fetch_one(&mut connection).await.unwrap()
}

/// What its owner takes out: the kind, the name and the times, and no key.
#[tokio::test]
async fn an_export_has_passkeys_without_what_they_are_checked_by() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let challenge = challenged(&app, &ada).await;
    let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
    complete(&app, &challenge.token, answer).await.unwrap();
    let document = exported(&app, ada.token()).await;
    let factors = document["factors"].as_array().unwrap().iter();
    let one = factors.clone().find(|factor| factor["kind"] == "passkey").unwrap();
    let members: Vec<&String> = one.as_object().unwrap().keys().collect();
    assert_eq!(members, ["create_time", "display_name", "kind", "last_used_time", "name"]);
    assert_eq!((&one["display_name"], &one["name"]), (&"Laptop".into(), &passkey.name.into()));
    assert_ne!(one["last_used_time"], Value::Null);
    assert!(!document.to_string().contains(&super::device::encoded(&passkey.id)));
}

/// A deleted account leaves no passkey behind.
#[tokio::test]
async fn a_passkey_goes_with_the_account() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, _) = with_passkey(&app, "ada", Key::es256()).await;
    let (_, of_bob) = with_passkey(&app, "bob", Key::es256()).await;
    let deletion = ada.deletion(&uuid::Uuid::from_u128(7).to_string());
    app.account(ada.token()).delete_user(deletion).await.unwrap();
    let mut connection = app.database.superuser.connect().await.unwrap();
    let left: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from data.factors where kind = 'passkey'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(
        left.iter().map(uuid::Uuid::to_string).collect::<Vec<_>>(),
        [of_bob.name.rsplit('/').next().unwrap()]
    );
}

/// Whose address is verified has a mail when a passkey is added, and when it goes.
#[tokio::test]
async fn an_owner_is_told_of_passkeys() {
    let mails = MailServer::start().await;
    let app = recovery::start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    recovery::verify(&app, &mails.take(&ada.email, VERIFY).await.token()).await.unwrap();
    let begun = begun(&app, ada.token()).await;
    let key = Key::es256();
    let mut made = Making::of(&begun.creation_options, &key);
    made.client["origin"] = format!("https://{}", made.host).into();
    confirm(&app, ada.token(), &begun.name, &made.json()).await.unwrap();
    mails.take(&ada.email, "A second factor was added").await;
    let request = DeleteFactorRequest { name: begun.name };
    app.account(ada.token()).delete_factor(request).await.unwrap();
    mails.take(&ada.email, "A second factor was removed").await;
}

async fn drop_factors(app: &TestApp, name: &str) {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query("select data.drop_factors($1::uuid, '{}', now())")
        .bind(name.strip_prefix("users/").unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
}

/// What happened to factors says of which kind they were, also where all of an
/// account that nobody had verified are removed at once.
#[tokio::test]
async fn the_account_remembers_which_kind_it_was() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    Authenticator::enrolled(&app, ada.token()).await;
    Passkey::enrolled(&app, ada.token(), Key::es256()).await;
    let challenge = challenged(&app, &ada).await;
    complete(&app, &challenge.token, PasskeyAssertion("{}".to_owned())).await.unwrap_err();
    let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
    let again = complete(&app, &challenge.token, answer).await.unwrap().credentials.unwrap();
    let token = again.access_token;
    let listed = app.account(&token).list_factors(ListFactorsRequest::default()).await.unwrap();
    let used = listed.into_inner().factors.into_iter().find(|one| one.name == passkey.name);
    assert!(
        used.is_some_and(|one| one.last_use_time.is_some() && one.kind() == FactorKind::Passkey)
    );
    drop_factors(&app, &ada.name).await;
    let happened: Vec<(String, String)> = {
        let mut connection = app.database.superuser.connect().await.unwrap();
        sqlx::query_as(
            "select kind, coalesce(details ->> 'kind', details ->> 'step', '')
             from data.audit_events order by user_id, sequence",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap()
    };
    let happened: Vec<String> = happened
        .into_iter()
        .map(|(kind, of)| format!("{kind} {of}").trim_end().to_owned())
        .collect();
    assert_eq!(
        happened,
        [
            "sign_up",
            "factor.added passkey",
            "recovery_codes.made",
            "factor.added totp",
            "factor.added passkey",
            "sign_in.challenged",
            "sign_in.refused pop",
            "sign_in",
            "factor.removed passkey",
            "factor.removed totp",
        ]
    );
}
