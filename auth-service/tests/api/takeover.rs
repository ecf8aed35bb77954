//! Who would take an account over by what goes by mail, keep it from its owner, or
//! keep the owner out: what they get, and what the owner does about it.

use proto::auth::v1::{
    ChangePasswordRequest, GetUserRequest, ListFactorsRequest, RequestEmailChangeRequest,
    RequestPasswordResetRequest, RevokeOtherSessionsRequest, SignUpRequest,
    complete_sign_in_request::Code::TotpCode, verify_email_response::Outcome,
};
use tonic::{Code, Status};

use crate::{
    abuse::{ADA, BEHIND, audited, from, number, wait},
    authenticator::{Authenticator, challenged, complete, with_authenticator},
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
    operators::suspend,
    recovery::{
        CHANGE_NEW, CHANGE_OLD, NEW, RESET, VERIFY, assert_void, request_change, request_reset,
        reset, rows, start, verify,
    },
    sign_up::claims,
    smtp::MailServer,
};

const THIEF: &str = "thief@example.org";

async fn change_password(app: &TestApp, token: &str) {
    let request = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: NEW.to_owned(),
        ..ChangePasswordRequest::default()
    };
    app.account(token).change_password(request).await.unwrap();
}

/// A thief with a session asks for another address, and the owner agrees by
/// mistake. Whatever ends the thief's session takes that back.
#[tokio::test]
async fn a_wish_for_another_address_ends_with_the_session_that_had_it() {
    for way in ["change", "reset", "revoke others", "suspend"] {
        let mails = MailServer::start().await;
        let app = start(&mails, &[]).await;
        let ada = app.signed_up("ada").await;
        let thief = app.sign_in(ADA, PASSWORD).await.unwrap();
        request_change(&app, &thief.access_token, THIEF).await.unwrap();
        let agreed = mails.take(ADA, CHANGE_OLD).await.token();
        assert_eq!(verify(&app, &agreed).await.unwrap(), Outcome::Agreed);
        let token = &ada.credentials.access_token;
        match way {
            "change" => change_password(&app, token).await,
            "reset" => {
                request_reset(&app, ADA).await.unwrap();
                reset(&app, &mails.take(ADA, RESET).await.token(), NEW).await.unwrap();
            }
            "revoke others" => {
                let request = RevokeOtherSessionsRequest::default();
                app.account(token).revoke_other_sessions(request).await.unwrap();
            }
            _ => {
                let operator = app.operator("olga").await;
                let mut admin = app.admin(&operator.credentials.access_token);
                suspend(&mut admin, &ada.name).await.unwrap();
            }
        }
        let last = mails.take(THIEF, CHANGE_NEW).await.token();
        assert_void(&verify(&app, &last).await.unwrap_err());
        assert!(app.sign_in(THIEF, PASSWORD).await.is_err(), "{way}");
        assert!(app.sign_in(THIEF, NEW).await.is_err(), "{way}");
    }
}

/// Only both together change the address: not one of them, when the other is gone.
#[tokio::test]
async fn one_address_alone_never_agrees_for_both() {
    for (gone, left) in [("change-old", CHANGE_NEW), ("change-new", CHANGE_OLD)] {
        let mails = MailServer::start().await;
        let app = start(&mails, &[]).await;
        let ada = app.signed_up("ada").await;
        request_change(&app, &ada.credentials.access_token, THIEF).await.unwrap();
        let recipient = if left == CHANGE_NEW { THIEF } else { ADA };
        let token = mails.take(recipient, left).await.token();
        app.tamper(&format!("delete from data.mail_tokens where kind = '{gone}'")).await;
        assert_void(&verify(&app, &token).await.unwrap_err());
        assert!(app.sign_in(ADA, PASSWORD).await.is_ok());
    }
}

/// What was asked for before a newer wish is void: both addresses agree to the same.
#[tokio::test]
async fn two_wishes_are_not_agreed_to_crosswise() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    request_change(&app, token, THIEF).await.unwrap();
    let older = mails.take(THIEF, CHANGE_NEW).await.token();
    app.clock.advance(minutes(1));
    request_change(&app, token, "lovelace@example.org").await.unwrap();
    mails.take(ADA, CHANGE_OLD).await;
    let agreed = mails.take(ADA, CHANGE_OLD).await.token();
    assert_eq!(verify(&app, &agreed).await.unwrap(), Outcome::Agreed);
    assert_void(&verify(&app, &older).await.unwrap_err());
    let newer = mails.take("lovelace@example.org", CHANGE_NEW).await.token();
    assert_eq!(verify(&app, &newer).await.unwrap(), Outcome::Changed);
}

/// A link that somebody may have read is worth nothing once another one was used;
/// nor is a sign-in that waits for its second step. But whoever knows the password
/// does not keep the reader of the mails from taking the account back.
#[tokio::test]
async fn what_waits_ends_with_the_old_password() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    verify(&app, &mails.take(ADA, VERIFY).await.token()).await.unwrap();
    let challenge = challenged(&app, &ada).await;
    request_reset(&app, ADA).await.unwrap();
    let first = mails.take(ADA, RESET).await.token();
    app.clock.advance(minutes(1));
    request_reset(&app, ADA).await.unwrap();
    let second = mails.take(ADA, RESET).await.token();
    reset(&app, &second, NEW).await.unwrap();
    assert_void(&reset(&app, &first, PASSWORD).await.unwrap_err());
    let code = TotpCode(authenticator.code(&app, 0));
    let over = complete(&app, &challenge.token, code).await.unwrap_err();
    over.is(Code::Unauthenticated, "CHALLENGE_INVALID");

    let bob = app.signed_up("bob").await;
    request_reset(&app, &bob.email).await.unwrap();
    let read = mails.take(&bob.email, RESET).await.token();
    change_password(&app, &bob.credentials.access_token).await;
    reset(&app, &read, PASSWORD).await.unwrap();
    app.sign_in(&bob.email, NEW).await.unwrap_err();
    let mut thief = app.account(&bob.credentials.access_token);
    let over = thief.get_user(GetUserRequest::default()).await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
    // Who has no good link any more gets the next one at once.
    request_reset(&app, &bob.email).await.unwrap();
    mails.take(&bob.email, RESET).await;
}

/// Asked for again, it is the same wish: any link of the one address and any of the
/// other.
#[tokio::test]
async fn a_wish_that_is_repeated_stays_one_wish() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let (token, new) = (&ada.credentials.access_token, "lovelace@example.org");
    request_change(&app, token, new).await.unwrap();
    let first = mails.take(ADA, CHANGE_OLD).await.token();
    mails.take(new, CHANGE_NEW).await;
    app.clock.advance(minutes(1));
    request_change(&app, token, new).await.unwrap();
    mails.take(ADA, CHANGE_OLD).await;
    let second = mails.take(new, CHANGE_NEW).await.token();
    assert_eq!(verify(&app, &first).await.unwrap(), Outcome::Agreed);
    assert_eq!(verify(&app, &second).await.unwrap(), Outcome::Changed);
}

/// A yes that was given before the password was changed counts no more, even for the
/// same session, which goes on: whoever wants the address is to ask both anew.
#[tokio::test]
async fn half_a_change_ends_with_the_old_password() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let (token, new) = (&ada.credentials.access_token, "lovelace@example.org");
    request_change(&app, token, new).await.unwrap();
    mails.take(new, CHANGE_NEW).await;
    let agreed = mails.take(ADA, CHANGE_OLD).await.token();
    assert_eq!(verify(&app, &agreed).await.unwrap(), Outcome::Agreed);
    change_password(&app, token).await;
    app.clock.advance(minutes(1));
    request_change(&app, token, new).await.unwrap();
    let half = mails.take(new, CHANGE_NEW).await.token();
    assert_eq!(verify(&app, &half).await.unwrap(), Outcome::Agreed);
    assert_eq!(audited(&app).await["email.change_agreed"], 2, "each is noted");
    let other = mails.take(ADA, CHANGE_OLD).await.token();
    assert_eq!(verify(&app, &other).await.unwrap(), Outcome::Changed);
}

/// A stranger who signed up with the address, and added an authenticator, has shown
/// nothing; an owner who verified it keeps theirs.
#[tokio::test]
async fn a_reset_leaves_factors_only_where_the_address_was_verified() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let squatter = app.signed_up("ada").await;
    Authenticator::enrolled(&app, &squatter.credentials.access_token).await;
    let bob = app.signed_up("bob").await;
    Authenticator::enrolled(&app, &bob.credentials.access_token).await;
    verify(&app, &mails.take(&bob.email, VERIFY).await.token()).await.unwrap();
    for person in [&squatter, &bob] {
        request_reset(&app, &person.email).await.unwrap();
        reset(&app, &mails.take(&person.email, RESET).await.token(), NEW).await.unwrap();
    }
    let owner = app.sign_in(ADA, NEW).await.unwrap();
    let listed = app.account(&owner.access_token).list_factors(ListFactorsRequest::default()).await;
    assert_eq!(listed.unwrap().into_inner().factors, []);
    let mut account = app.account(&owner.access_token);
    let user = account.get_user(GetUserRequest::default()).await.unwrap().into_inner().user;
    assert_eq!(user.unwrap().display_name, "", "a stranger's words");
    let request = proto::auth::v1::SignInRequest {
        email: bob.email,
        password: NEW.to_owned(),
        ..Default::default()
    };
    let answer = app.auth().sign_in(request).await.unwrap().into_inner();
    assert!(answer.challenge.is_some() && answer.credentials.is_none());
}

/// Whoever asks for resets of another's password voids none of them, and has few
/// mails sent; an address that nobody has is treated alike.
#[tokio::test]
async fn asking_for_resets_voids_none_and_floods_nobody() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    app.signed_up("ada").await;
    mails.take(ADA, VERIFY).await;
    let mut links = Vec::new();
    let mut seen = [Vec::new(), Vec::new()];
    for minute in 0..20 {
        for (email, added) in [ADA, "nobody@example.org"].into_iter().zip(&mut seen) {
            let before = rows(&app).await;
            request_reset(&app, email).await.unwrap();
            let after = rows(&app).await;
            let count = |rows: &[(String, i64)], table: &str| {
                rows.iter().find(|row| row.0 == table).unwrap().1
            };
            let new = |table| count(&after, table) - count(&before, table);
            assert_eq!(new("outbox"), new("mail_tokens"));
            if new("outbox") > 0 {
                added.push(minute);
            }
        }
        if seen[0].last() == Some(&minute) {
            links.push(mails.take(ADA, RESET).await.token());
        }
        app.clock.advance(minutes(1));
    }
    assert_eq!(seen[0], [0, 1, 3]);
    assert_eq!(seen[0], seen[1]);
    reset(&app, &links[0], NEW).await.unwrap();
}

/// A client address has some mails sent in an hour, known readers or not; it is not
/// told that there are no more.
#[tokio::test]
async fn an_address_asks_for_some_mails_an_hour() {
    let app = TestApp::start_with(&[BEHIND, "--sign-up-per-address=3"]).await;
    app.operator("ada").await;
    let ask = async |address: &'static str, email: &str| -> Result<(), Status> {
        let request = RequestPasswordResetRequest { email: email.to_owned() };
        app.auth().request_password_reset(from(address, request)).await.map(drop)
    };
    for n in 0..3 {
        ask("203.0.113.1", &format!("nobody-{n}@example.org")).await.unwrap();
    }
    let before = rows(&app).await;
    for email in [ADA, "nobody@example.org"] {
        ask("203.0.113.1", email).await.unwrap();
    }
    assert_eq!(rows(&app).await, before);
    let mails = async || number(&app, "select count(*) from data.outbox").await;
    let sent = mails().await;
    ask("203.0.113.2", ADA).await.unwrap();
    assert_eq!(mails().await, sent + 1);
    // A third of an hour later there is one more.
    app.clock.advance(minutes(20));
    ask("203.0.113.1", "nobody@example.org").await.unwrap();
    assert_eq!(mails().await, sent + 2);
}

/// Who has many accounts and wants the same address for all of them fills nobody's
/// letter box, and keeps from that address nobody who asks from elsewhere.
#[tokio::test]
async fn a_reader_whom_many_accounts_name_is_asked_a_few_times_an_hour() {
    const ACCOUNTS: u8 = 14;
    let mails = MailServer::start().await;
    let app = start(&mails, &[BEHIND]).await;
    let ask = async |address: &str, person: &Person, new: &str| -> Result<(), Status> {
        let message = RequestEmailChangeRequest { new_email: new.to_owned(), ..Default::default() };
        let mut account = app.account(&person.credentials.access_token);
        account.request_email_change(from(address, message)).await.map(drop)
    };
    let mut people = Vec::new();
    for n in 0..ACCOUNTS {
        people.push(app.signed_up(&format!("person-{n}")).await);
    }
    ask("203.0.113.1", &people[0], "reader@example.net").await.unwrap();
    let refused = ask("203.0.113.1", &people[1], "Reader@example.net").await.unwrap_err();
    refused.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert_eq!(wait(&refused), minutes(1));
    // Another reader is not meant, and who waited was not counted.
    ask("203.0.113.1", &people[1], "other@example.net").await.unwrap();
    let mut asked = 1;
    for (n, person) in people.iter().enumerate().skip(2) {
        let outcome = ask(&format!("203.0.113.{n}"), person, "reader@example.net").await;
        let Err(refused) = outcome else {
            asked += 1;
            continue;
        };
        refused.is(Code::ResourceExhausted, "RATE_LIMITED");
        assert_eq!(wait(&refused), minutes(6));
    }
    assert_eq!(asked, 10);
    for _ in 0..asked {
        mails.take("reader@example.net", CHANGE_NEW).await;
    }
}

/// Where sign-ups are finished by mail: whose link is followed, that one's password
/// it is, whoever else signs up with the address before, after, and how often.
#[tokio::test]
async fn a_sign_up_is_finished_with_the_password_that_it_began_with() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[BEHIND, "--enumeration=strict"]).await;
    let sign_up = async |address: &'static str, password: &str| {
        let request = SignUpRequest {
            email: ADA.to_owned(),
            password: password.to_owned(),
            ..SignUpRequest::default()
        };
        app.auth().sign_up(from(address, request)).await.unwrap();
    };
    let link = async || mails.take(ADA, "Please finish your sign-up").await.token();
    let (attacker, victim) = ("203.0.113.1", "198.51.100.1");
    sign_up(attacker, NEW).await;
    link().await;
    // Held up by nobody else's pause.
    sign_up(victim, PASSWORD).await;
    let own = link().await;
    for _ in 0..10 {
        sign_up(attacker, NEW).await;
    }
    app.clock.advance(minutes(1));
    sign_up(attacker, NEW).await;
    link().await;
    for accomplice in ["203.0.113.2", "203.0.113.3", "203.0.113.4"] {
        sign_up(accomplice, NEW).await;
        link().await;
    }
    sign_up("203.0.113.5", NEW).await;
    let other = link().await;
    assert_eq!(verify(&app, &own).await.unwrap(), Outcome::Verified);
    assert_void(&verify(&app, &other).await.unwrap_err());
    assert!(app.sign_in(ADA, NEW).await.is_err());
    let session = app.sign_in(ADA, PASSWORD).await.unwrap();
    assert!(claims(&session.access_token).email_verified);
    let mut account = app.account(&session.access_token);
    account.get_user(GetUserRequest::default()).await.unwrap();
}
