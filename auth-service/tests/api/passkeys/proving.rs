//! Proving again who one is by a passkey: what is asked, for how long, in which
//! session, and once on however many replicas.

use std::time::Duration;

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginReauthenticationRequest, ConfirmPasskeyEnrollmentRequest,
    FactorKind, ReauthenticateRequest, account_service_client::AccountServiceClient,
    reauthenticate_request::Code::PasskeyAssertion,
};
use shared::{clock::Clock as _, testing::ManualClock};
use tonic::{Code, service::interceptor::InterceptedService, transport::Channel};

use super::{
    asked,
    device::{Key, Making, PUBLIC_URL, Passkey, decoded, options, with_passkey},
    hostile::prove,
};
use crate::{
    authenticator::{Authenticator, challenged, complete},
    harness::{Bearer, PASSWORD, TestApp, Told as _, minutes},
    replicas::{Replica, World},
    sign_up::claims,
};

const LONG: [&str; 3] = [PUBLIC_URL, "--access-token-ttl=1h", "--max-auth-age=1h"];

/// By the password and by an answer; needed only for an answer.
#[tokio::test]
async fn a_proof_is_the_password_and_an_answer() {
    let app = TestApp::start_with(&[PUBLIC_URL, "--access-token-ttl=1h"]).await;
    let ada = app.signed_up("ada").await;
    let none = asked(&app, ada.token()).await;
    assert_eq!((none.factor_kinds.len(), none.passkey_options.as_str()), (0, ""));
    assert_eq!(none.expire_time, None);
    Authenticator::enrolled(&app, ada.token()).await;
    let by_code = asked(&app, ada.token()).await;
    assert_eq!(
        by_code.factor_kinds().collect::<Vec<_>>(),
        [FactorKind::Totp, FactorKind::RecoveryCodes]
    );
    assert_eq!((by_code.passkey_options.as_str(), by_code.expire_time), ("", None));

    let passkey = Passkey::enrolled(&app, ada.token(), Key::ed25519()).await;
    app.clock.advance(minutes(30));
    // What was proved is long ago: it is what this is for.
    let now = asked(&app, ada.token()).await;
    assert_eq!(
        now.factor_kinds().collect::<Vec<_>>(),
        [FactorKind::Totp, FactorKind::RecoveryCodes, FactorKind::Passkey]
    );
    let expires = now.expire_time.unwrap().seconds;
    assert_eq!(expires - app.clock.now().timestamp(), 300);
    let proved = prove(&app, &ada, &passkey.answer(&now.passkey_options)).await.unwrap();
    let said = claims(&proved);
    assert_eq!((said.amr.join(" "), said.auth_time), ("pwd pop".to_owned(), said.iat));
    assert_eq!(said.sid, claims(ada.token()).sid);
    let begin = BeginPasskeyEnrollmentRequest::default();
    app.account(&proved).begin_passkey_enrollment(begin).await.unwrap();
    // An answer is nothing without the password.
    app.clock.advance(minutes(1));
    let again = asked(&app, ada.token()).await;
    let code = Some(PasskeyAssertion(passkey.answer(&again.passkey_options)));
    let password = "not-It-at-all".to_owned();
    let request = ReauthenticateRequest { password, code, ..Default::default() };
    let refused = app.account(ada.token()).reauthenticate(request).await.unwrap_err();
    refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
}

/// Five minutes, once, none that was asked before the last one, and in its session.
#[tokio::test]
async fn an_answer_is_good_once_in_its_time_and_session() {
    let app = TestApp::start_with(&LONG).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let refused = async |answer: &str| {
        let refused = prove(&app, &ada, answer).await.err().unwrap();
        refused.is(Code::Unauthenticated, "CODE_INVALID");
    };
    let ask = async || passkey.answer(&asked(&app, ada.token()).await.passkey_options);

    let late = ask().await;
    app.clock.advance(minutes(5) - Duration::from_micros(1));
    let before = ask().await;
    app.clock.advance(Duration::from_micros(1));
    refused(&late).await;
    let next = ask().await;
    prove(&app, &ada, &next).await.unwrap();
    refused(&next).await;
    refused(&before).await;
    app.clock.advance(Duration::from_micros(1));
    let last = ask().await;
    app.clock.advance(minutes(5) - Duration::from_micros(1));
    prove(&app, &ada, &last).await.unwrap();

    let challenge = challenged(&app, &ada).await;
    let answer = passkey.answer(&challenge.passkey_options);
    let code = proto::auth::v1::complete_sign_in_request::Code::PasskeyAssertion(answer);
    let other = complete(&app, &challenge.token, code).await.unwrap().credentials.unwrap();
    app.clock.advance(minutes(1));
    let foreign = asked(&app, &other.access_token).await;
    refused(&passkey.answer(&foreign.passkey_options)).await;
    let own = ask().await;
    prove(&app, &ada, &own).await.unwrap();
}

/// What a challenge is made of: when it was asked, and what nobody else can write.
#[tokio::test]
async fn a_challenge_cannot_be_moved_in_time() {
    let app = TestApp::start_with(&LONG).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let asked = asked(&app, ada.token()).await;
    let challenge = decoded(&options(&asked.passkey_options)["challenge"]);
    app.clock.advance(minutes(6));
    let later = app.clock.now().timestamp_micros().to_be_bytes();
    let mut moved = passkey.signing(&asked.passkey_options);
    let forged = [later.as_slice(), &challenge[8..]].concat();
    moved.client["challenge"] = super::device::encoded(&forged).into();
    let refused = prove(&app, &ada, &moved.json()).await.err().unwrap();
    refused.is(Code::Unauthenticated, "CODE_INVALID");
}

fn account(
    replica: &Replica,
    token: &str,
) -> AccountServiceClient<InterceptedService<Channel, Bearer>> {
    AccountServiceClient::with_interceptor(replica.channel.clone(), Bearer(token.to_owned()))
}

/// Asked by one replica, answered to both at the same moment, ten times.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_takes_an_answer() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let [one, other] = [
        world.replica_with("127.0.0.1:0", &LONG).await,
        world.replica_with("127.0.0.1:0", &LONG).await,
    ];
    let ada = one.sign_up("ada").await;
    let token = &ada.access_token;
    // Begun at one, confirmed at the other.
    let begun = account(&one, token)
        .begin_passkey_enrollment(BeginPasskeyEnrollmentRequest::default())
        .await
        .unwrap()
        .into_inner();
    let key = Key::es256();
    let made = Making::of(&begun.creation_options, &key);
    let confirm = ConfirmPasskeyEnrollmentRequest {
        name: begun.name.clone(),
        credential: made.json(),
        ..Default::default()
    };
    account(&other, token).confirm_passkey_enrollment(confirm).await.unwrap();
    let user = decoded(&options(&begun.creation_options)["user"]["id"]);
    let (name, recovery_codes) = (begun.name, Vec::new());
    let passkey = Passkey { name, id: made.id, key, user, recovery_codes };

    for _ in 0..10 {
        clock.advance(Duration::from_secs(1));
        let asked = account(&one, token)
            .begin_reauthentication(BeginReauthenticationRequest::default())
            .await
            .unwrap()
            .into_inner();
        let answer = passkey.answer(&asked.passkey_options);
        let prove = async |replica: &Replica| {
            let code = Some(PasskeyAssertion(answer.clone()));
            let password = PASSWORD.to_owned();
            let request = ReauthenticateRequest { password, code, ..Default::default() };
            account(replica, token).reauthenticate(request).await
        };
        let (here, there) = tokio::join!(prove(&one), prove(&other));
        let mut refused = [here.err(), there.err()].into_iter().flatten();
        refused.next().unwrap().is(Code::Unauthenticated, "CODE_INVALID");
        assert!(refused.next().is_none(), "neither was taken");
    }
    one.drain().await;
    other.drain().await;
}
