//! What operators do at the machine for themselves and for people who are locked out.

use std::process::Command;

use auth_service::{
    admin::lockout::{self, Dropped},
    email::Email,
};
use proto::auth::v1::{ListFactorsRequest, SignInRequest};
use shared::{clock::Clock as _, testing::eventually};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    abuse::{ADA, audited, number},
    authenticator::{Authenticator, with_authenticator},
    harness::{PASSWORD, Told as _, minutes},
    recovery::{NEW, RESET, request_reset, reset, start},
    smtp::MailServer,
};

/// Who is made an operator at the machine has the address: whoever reads its mails
/// does not lose the second factor by that.
#[tokio::test]
async fn a_reset_leaves_an_operator_their_second_factor() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let made = app.operator("olga").await;
    let granted = app.signed_up("ada").await;
    app.make_operator(&granted.email, None, true).await.unwrap();
    let earlier = app.operator("oskar").await;
    app.tamper("update data.users set email_verified = false where email like 'oskar@%'").await;
    for person in [&made, &granted, &earlier] {
        let token = &person.credentials.access_token;
        Authenticator::enrolled(&app, token).await;
    }
    assert_eq!(number(&app, "select count(*) from data.users where email_verified").await, 2);
    for person in [&made, &granted, &earlier] {
        request_reset(&app, &person.email).await.unwrap();
        reset(&app, &mails.take(&person.email, RESET).await.token(), NEW).await.unwrap();
        let (email, password) = (person.email.clone(), NEW.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        let answer = app.auth().sign_in(request).await.unwrap().into_inner();
        assert!(answer.challenge.is_some() && answer.credentials.is_none(), "{}", person.email);
    }
}

/// Somebody whose authenticator is gone, or is a thief's, gets in again by an
/// operator: no second factor is left, no session, and the log and a mail say so.
#[tokio::test]
async fn second_factors_are_dropped_at_the_machine() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let (ada, _) = with_authenticator(&app, "ada").await;
    app.tamper("update data.users set email_verified = true").await;
    let drop_factors = async |email: &str| {
        let email = Email::parse(email).unwrap();
        lockout::drop_factors(&app.own_database(), &email, app.clock.now()).await
    };
    assert_eq!(drop_factors("ADA@example.org").await.unwrap(), Dropped::Done);
    assert!(drop_factors("nobody@example.org").await.is_err());
    let over = app.refresh(&ada.credentials.refresh_token).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let again = app.sign_in(ADA, PASSWORD).await.unwrap();
    let listed = app.account(&again.access_token).list_factors(ListFactorsRequest::default()).await;
    assert_eq!(listed.unwrap().into_inner().factors, []);
    let entries = audited(&app).await;
    assert_eq!((entries["admin.factors.dropped"], entries["session.revoked"]), (1, 1));
    // Nothing is left to be dropped, and so nobody is signed out.
    assert_eq!(drop_factors(ADA).await.unwrap(), Dropped::None);
    app.refresh(&again.refresh_token).await.unwrap();
    // What was done beside the service it finds when it looks next.
    let due = "select count(*) from data.outbox
        where kind = 'factor-removed' and next_attempt_at is not null";
    eventually("the mail is sent", async || {
        app.clock.advance(minutes(1));
        number(&app, due).await == 0
    })
    .await;
    mails.take(ADA, "A second factor was removed").await;

    let again = app.sign_in(ADA, PASSWORD).await.unwrap();
    Authenticator::enrolled(&app, &again.access_token).await;
    let url = app.database.app.to_url_lossy().to_string();
    let done = "ada@example.org has no second factor any more; its sessions are over.\n";
    for (email, code, said) in [
        (ADA, 0, done),
        (ADA, 0, "ada@example.org has no second factor.\n"),
        ("nobody@example.org", 1, ""),
        ("nobody", 64, ""),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
        command.args(["admin", "drop-factors", email]).env_clear().env("AUTH_DATABASE_URL", &url);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let told = (output.status.code(), String::from_utf8(output.stdout).unwrap());
        assert_eq!(told, (Some(code), said.to_owned()), "{email}");
    }
}
