//! What an owner is told without having asked: whom such mails reach, in whose
//! words, and that they keep nobody from the mails that people wait for.

use proto::auth::v1::{
    ChangePasswordRequest, DeleteFactorRequest, DeleteUserRequest, RegenerateRecoveryCodesRequest,
};
use shared::clock::Clock as _;
use sqlx::ConnectOptions as _;
use tonic::Request;

use crate::{
    abuse::{ADA, number},
    authenticator::Authenticator,
    harness::{PASSWORD, TestApp, minutes},
    recovery::{NEW, VERIFY, request_change, request_reset, start, verify},
    smtp::MailServer,
};

const CHANGED: &str = "Your password was changed";
const ADDED: &str = "A second factor was added";
const REMOVED: &str = "A second factor was removed";
const CODES: &str = "You have new recovery codes";

/// Changes the password of whoever has this token, as this client.
async fn change(app: &TestApp, token: &str, (current, new): (&str, &str), client: &str) {
    let mut request = Request::new(ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        ..ChangePasswordRequest::default()
    });
    request.metadata_mut().insert("user-agent", client.parse().unwrap());
    app.account(token).change_password(request).await.unwrap();
}

/// Signed up with an address that somebody else reads: whatever is done with the
/// account, the reader has one mail, which asks whether it was them, and one more
/// when it is gone: who deletes an account has no other way to its receipt, if the
/// answer is lost.
#[tokio::test]
async fn a_stranger_is_told_nothing_of_an_account_with_their_address() {
    let mails = MailServer::start().await;
    let app = start(&mails, &["--access-token-ttl=1h"]).await;
    let squatter = app.signed_up("ada").await;
    mails.take(ADA, VERIFY).await;
    let token = &squatter.credentials.access_token;
    for _ in 0..3 {
        change(&app, token, (PASSWORD, NEW), "Buy/this").await;
        change(&app, token, (NEW, PASSWORD), "Buy/this").await;
    }
    let authenticator = Authenticator::enrolled(&app, token).await;
    let mut account = app.account(token);
    account.regenerate_recovery_codes(RegenerateRecoveryCodesRequest::default()).await.unwrap();
    account.delete_factor(DeleteFactorRequest { name: authenticator.name }).await.unwrap();
    let notices = "select count(*) from data.outbox where kind <> 'verify'";
    assert_eq!(number(&app, notices).await, 0);
    let email = ADA.to_owned();
    account.delete_user(DeleteUserRequest { email, ..Default::default() }).await.unwrap();
    mails.take(ADA, "Your account was deleted").await;
    assert_eq!(number(&app, notices).await, 1);
    assert_eq!(mails.offered(), 2);
}

/// Whose address is verified is told what was done with the account, in our own
/// words: nothing of what a client calls itself but a browser and a system.
#[tokio::test]
async fn an_owner_is_told_what_could_cost_the_account() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    verify(&app, &mails.take(ADA, VERIFY).await.token()).await.unwrap();
    let token = &ada.credentials.access_token;
    change(&app, token, (PASSWORD, NEW), "Your-account-is-lost-call-+1-555-0100").await;
    let said = mails.take(ADA, CHANGED).await.text().replace('\n', " ");
    assert!(said.contains(", with another device."), "{said}");
    assert!(!said.contains("lost"), "{said}");

    let authenticator = Authenticator::enrolled(&app, token).await;
    mails.take(ADA, ADDED).await;
    let mut account = app.account(token);
    account.regenerate_recovery_codes(RegenerateRecoveryCodesRequest::default()).await.unwrap();
    mails.take(ADA, CODES).await;
    account.delete_factor(DeleteFactorRequest { name: authenticator.name }).await.unwrap();
    let removed = mails.take(ADA, REMOVED).await;
    assert!(removed.text().contains("\nhttps://page.test/forgot\n"), "{}", removed.text());
    // What was begun and never counted is told to nobody.
    let begun = Authenticator::begun(&app, token).await;
    account.delete_factor(DeleteFactorRequest { name: begun.name }).await.unwrap();
    let removals = "select count(*) from data.outbox where kind = 'factor-removed'";
    assert_eq!(number(&app, removals).await, 1);
}

/// A mail that somebody waits for leaves before any that was only to be told,
/// however many of those there are, and what is over first leaves first.
#[tokio::test]
async fn what_somebody_waits_for_leaves_before_notices() {
    let app = TestApp::start_alone().await;
    let ada = app.signed_up("ada").await;
    app.tamper("update data.users set email_verified = true").await;
    for _ in 0..2 {
        change(&app, &ada.credentials.access_token, (PASSWORD, NEW), "").await;
        change(&app, &ada.credentials.access_token, (NEW, PASSWORD), "").await;
    }
    app.clock.advance(minutes(1));
    request_change(&app, &ada.credentials.access_token, "lovelace@example.org").await.unwrap();
    request_reset(&app, ADA).await.unwrap();
    let mut connection = app.database.app.connect().await.unwrap();
    let mut leased = Vec::new();
    for _ in 0..5 {
        let lease = "select kind from api.lease_mail($1, $1 + interval '5 minutes', 1)";
        let now = app.clock.now();
        let kind: String =
            sqlx::query_scalar(lease).bind(now).fetch_one(&mut connection).await.unwrap();
        leased.push(kind);
    }
    // Two of one moment are in any order.
    leased[2..4].sort_unstable();
    assert_eq!(leased, ["reset", "verify", "change-new", "change-old", "password-changed"]);
}
