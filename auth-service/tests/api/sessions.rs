//! Sessions: refresh, reuse, expiry, sign-out, and the list of devices.

use std::time::Duration;

use proto::auth::v1::{
    GetUserRequest, ListSessionsRequest, RevokeOtherSessionsRequest, RevokeSessionRequest,
    SignOutRequest,
};
use tonic::Code;

use crate::{
    harness::{PASSWORD, TestApp, Told as _, days, minutes},
    sign_up::claims,
};

/// FR-012: a refresh gives a successor and a new access token.
#[tokio::test]
async fn a_refresh_token_is_exchanged_for_its_successor() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    app.clock.advance(minutes(10));
    let expired = app
        .account(&ada.credentials.access_token)
        .get_user(GetUserRequest::default())
        .await
        .unwrap_err();
    expired.is(Code::Unauthenticated, "TOKEN_EXPIRED");

    let next = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    assert_ne!(next.refresh_token, ada.credentials.refresh_token);
    assert_eq!(next.session, ada.credentials.session);
    let mut account = app.account(&next.access_token);
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
}

/// E1: a lost answer or a second tab signs nobody out.
#[tokio::test]
async fn the_token_before_gets_the_same_successor_for_a_moment() {
    let app = TestApp::start().await;
    let first = app.signed_up("ada").await.credentials.refresh_token;
    let second = app.refresh(&first).await.unwrap().refresh_token;
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(app.refresh(&first).await.unwrap().refresh_token, second);
    let third = app.refresh(&second).await.unwrap().refresh_token;
    assert!(app.refresh(&third).await.is_ok());
}

/// RFC 9700, section 4.14: whoever uses an old token ends the session.
#[tokio::test]
async fn an_old_token_ends_the_session() {
    let app = TestApp::start().await;
    let first = app.signed_up("ada").await.credentials.refresh_token;
    let second = app.refresh(&first).await.unwrap();
    app.clock.advance(Duration::from_secs(11));
    let reused = app.refresh(&first).await.unwrap_err();
    reused.is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
    let over = app.refresh(&second.refresh_token).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let mut account = app.account(&second.access_token);
    let over = account.get_user(GetUserRequest::default()).await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
}

/// Two exchanges back is old at once, within the grace or not.
#[tokio::test]
async fn two_exchanges_back_is_old_at_once() {
    let app = TestApp::start().await;
    let first = app.signed_up("ada").await.credentials.refresh_token;
    let second = app.refresh(&first).await.unwrap().refresh_token;
    app.refresh(&second).await.unwrap();
    app.refresh(&first).await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
}

#[tokio::test]
async fn without_grace_any_reuse_ends_the_session() {
    let app = TestApp::start_with(&["--refresh-grace=0s"]).await;
    let first = app.signed_up("ada").await.credentials.refresh_token;
    app.refresh(&first).await.unwrap();
    app.refresh(&first).await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
}

/// SC-006, FR-012: seven days without a sign-in, and not for ever.
#[tokio::test]
async fn a_session_lives_while_it_is_used_and_thirty_days_at_most() {
    let app = TestApp::start().await;
    let mut token = app.signed_up("ada").await.credentials.refresh_token;
    for _ in 0..4 {
        app.clock.advance(days(7) - minutes(1));
        token = app.refresh(&token).await.unwrap().refresh_token;
    }
    // Nor does what it is used with live longer.
    app.clock.advance(days(2) + minutes(3));
    let last = app.refresh(&token).await.unwrap();
    let ends = last.refresh_token_expire_time.unwrap();
    assert_eq!(last.access_token_expire_time, Some(ends));
    assert_eq!(claims(&last.access_token).exp, ends.seconds);
    token = last.refresh_token;
    app.clock.advance(minutes(2));
    let over = app.refresh(&token).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");

    let idle = app.sign_in("ada@example.org", PASSWORD).await.unwrap().refresh_token;
    app.clock.advance(days(7) + minutes(1));
    app.refresh(&idle).await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let app = TestApp::start().await;
    let good = app.signed_up("ada").await.credentials.refresh_token;
    let foreign = {
        let other = TestApp::start().await;
        other.signed_up("ada").await.credentials.refresh_token
    };
    let flipped = {
        let mut flipped = good.clone();
        let last = flipped.pop().unwrap();
        flipped.push(if last == 'A' { 'B' } else { 'A' });
        flipped
    };
    for bad in ["x", "rt1.", &good[1..], &foreign, &flipped, &"x".repeat(4000)] {
        app.refresh(bad).await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    }
    app.refresh("").await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_MISSING");
    assert!(app.refresh(&good).await.is_ok());
}

/// S4.1, FR-015: signing out ends the session; a bad token is no error.
#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let request = SignOutRequest { refresh_token: ada.credentials.refresh_token.clone() };
    app.auth().sign_out(request.clone()).await.unwrap();
    app.auth().sign_out(request).await.unwrap();
    let over = app.refresh(&ada.credentials.refresh_token).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let mut account = app.account(&ada.credentials.access_token);
    let over = account.get_user(GetUserRequest::default()).await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
    app.auth().sign_out(SignOutRequest { refresh_token: "junk".to_owned() }).await.unwrap();
}

/// E4: each device has a session of its own.
#[tokio::test]
async fn devices_are_listed_newest_first_and_ended_one_by_one() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let mut names = vec![ada.credentials.session.clone()];
    for _ in 0..4 {
        app.clock.advance(minutes(1));
        names.insert(0, app.sign_in(&ada.email, PASSWORD).await.unwrap().session);
    }
    let mut account = app.account(&ada.credentials.access_token);

    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListSessionsRequest { page_size: 2, page_token, ..Default::default() };
        let page = account.list_sessions(request).await.unwrap().into_inner();
        assert!(page.sessions.len() <= 2);
        listed.extend(page.sessions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        listed.iter().map(|session| &session.name).collect::<Vec<_>>(),
        names.iter().collect::<Vec<_>>()
    );
    let current: Vec<bool> = listed.iter().map(|session| session.current).collect();
    assert_eq!(current, [false, false, false, false, true]);
    assert!(listed[0].user_agent.starts_with("tonic/"));

    let revoke = RevokeSessionRequest { name: names[0].clone() };
    account.revoke_session(revoke.clone()).await.unwrap();
    let gone = account.revoke_session(revoke).await.unwrap_err();
    gone.is(Code::NotFound, "SESSION_NOT_FOUND");
    let others = account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await;
    assert_eq!(others.unwrap().into_inner().revoked_count, 3);
    let left = account.list_sessions(ListSessionsRequest::default()).await.unwrap().into_inner();
    assert_eq!(left.sessions.len(), 1);
}

#[tokio::test]
async fn pages_are_asked_for_properly_or_refused() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let eve = app.signed_up("eve").await;
    app.sign_in(&eve.email, PASSWORD).await.unwrap();
    let mut account = app.account(&ada.credentials.access_token);
    let negative = ListSessionsRequest { page_size: -1, ..Default::default() };
    let refused = account.list_sessions(negative).await.unwrap_err();
    refused.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(refused.fields(), ["page_size"]);

    let page = ListSessionsRequest { page_size: 1, ..Default::default() };
    let eves = app
        .account(&eve.credentials.access_token)
        .list_sessions(page)
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    assert!(!eves.is_empty());
    for forged in ["junk".to_owned(), eves] {
        let request = ListSessionsRequest { page_token: forged, ..Default::default() };
        let refused = account.list_sessions(request).await.unwrap_err();
        refused.is(Code::InvalidArgument, "PAGE_TOKEN_INVALID");
        assert_eq!(refused.fields(), ["page_token"]);
    }
}

/// Sessions survive a restart of the service.
#[tokio::test]
async fn a_restart_ends_no_session() {
    let key = crate::harness::key();
    shared::program::install_cryptography();
    let database = shared::testing::database(&auth_service::SCHEMA).await;
    let app = TestApp::start_on(database, Default::default(), &key, &[]).await;
    let ada = app.signed_up("ada").await;
    let (database, clock) = app.stop().await;
    let app = TestApp::start_on(database, clock, &key, &[]).await;
    let mut account = app.account(&ada.credentials.access_token);
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
    assert!(app.refresh(&ada.credentials.refresh_token).await.is_ok());
}
