//! A user's own account.

use prost_types::FieldMask;
use proto::auth::v1::{
    ChangePasswordRequest, GetUserRequest, ListSessionsRequest, RevokeOtherSessionsRequest,
    UpdateUserRequest, User,
};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    abuse::audited,
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
};

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() })
}

async fn update(
    app: &TestApp,
    person: &Person,
    name: &str,
    update_mask: Option<FieldMask>,
) -> Result<User, tonic::Status> {
    let user = User { display_name: name.to_owned(), ..User::default() };
    let request = UpdateUserRequest { user: Some(user), update_mask };
    let mut account = app.account(&person.credentials.access_token);
    Ok(account.update_user(request).await?.into_inner().user.unwrap())
}

/// AIP-134, FR-028.
#[tokio::test]
async fn a_display_name_is_changed_as_the_mask_says() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    app.clock.advance(minutes(1));
    let changed = update(&app, &ada, " Ada L. ", None).await.unwrap();
    assert_eq!(changed.display_name, "Ada L.");
    assert_ne!(changed.update_time, changed.create_time);
    assert_eq!(update(&app, &ada, "", None).await.unwrap().display_name, "Ada L.");
    let ignored = update(&app, &ada, "x", mask(&["name", "email"])).await.unwrap();
    assert_eq!(ignored.display_name, "Ada L.");
    assert_eq!(ignored.email, ada.email);
    assert_eq!(update(&app, &ada, "", mask(&["display_name"])).await.unwrap().display_name, "");
    assert_eq!(update(&app, &ada, "A", mask(&["*"])).await.unwrap().display_name, "A");

    let unknown = update(&app, &ada, "x", mask(&["password"])).await.unwrap_err();
    unknown.is(Code::InvalidArgument, "MASK_INVALID");
    assert_eq!(unknown.fields(), ["update_mask"]);
    let long = update(&app, &ada, &"x".repeat(101), None).await.unwrap_err();
    assert_eq!(long.fields(), ["user.display_name"]);
    // Three of them changed it, and the log says so.
    assert_eq!(audited(&app).await["user.updated"], 3);
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    const NEW: &str = "copper-Violin-44";
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let mut account = app.account(&ada.credentials.access_token);
    let change = |current: &str, new: &str| ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: new.to_owned(),
        ..ChangePasswordRequest::default()
    };
    let wrong = account.change_password(change("not-It-at-all", NEW)).await.unwrap_err();
    wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let weak = account.change_password(change(PASSWORD, "password1")).await.unwrap_err();
    weak.is(Code::InvalidArgument, "PASSWORD_COMPROMISED");
    assert_eq!(weak.fields(), ["new_password"]);
    let none = account.change_password(change("", "")).await.unwrap_err();
    assert_eq!(none.fields(), ["current_password", "new_password"]);

    account.change_password(change(PASSWORD, NEW)).await.unwrap();
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_err());
    assert!(app.sign_in(&ada.email, NEW).await.is_ok());
    app.refresh(&other.refresh_token).await.unwrap_err();
    assert!(app.refresh(&ada.credentials.refresh_token).await.is_ok());
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
}

/// P6: exactly one statement for each method, two where a password is hashed.
#[tokio::test]
async fn a_method_costs_one_statement() {
    let app = TestApp::start_alone().await;
    let ada = app.signed_up("ada").await;
    let token = ada.credentials.access_token.clone();
    let mut account = app.account(&token);
    // Once to have everything prepared, once to count.
    for counted in [false, true] {
        let count = |expected: usize, method: &str| {
            let executed = app.statements.take();
            assert!(!counted || executed == expected, "{method}: {executed}");
        };
        app.statements.take();
        account.get_user(GetUserRequest::default()).await.unwrap();
        count(1, "GetUser");
        update(&app, &ada, "A", None).await.unwrap();
        count(1, "UpdateUser");
        account.list_sessions(ListSessionsRequest::default()).await.unwrap();
        count(1, "ListSessions");
        account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await.unwrap();
        count(1, "RevokeOtherSessions");
        let change = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: PASSWORD.to_owned(),
            ..ChangePasswordRequest::default()
        };
        account.change_password(change).await.unwrap();
        count(2, "ChangePassword");
        let session = app.sign_in(&ada.email, PASSWORD).await.unwrap();
        count(2, "SignIn");
        app.refresh(&session.refresh_token).await.unwrap();
        count(1, "RefreshSession");
        let revoke = proto::auth::v1::RevokeSessionRequest { name: session.session };
        account.revoke_session(revoke).await.unwrap();
        count(1, "RevokeSession");
        let verify = proto::auth::v1::VerifyTokenRequest { token: token.clone() };
        app.tokens().verify_token(verify).await.unwrap();
        count(1, "VerifyToken");
        app.tokens()
            .get_json_web_key_set(proto::auth::v1::GetJsonWebKeySetRequest {})
            .await
            .unwrap();
        count(0, "GetJsonWebKeySet");
        let sign_out =
            proto::auth::v1::SignOutRequest { refresh_token: session.refresh_token.clone() };
        app.auth().sign_out(sign_out).await.unwrap();
        count(1, "SignOut");
        app.sign_up(if counted { "bea" } else { "eve" }).await.unwrap();
        count(2, "SignUp");
    }
}

/// E7: whoever was removed while signed in is refused at the next call.
#[tokio::test]
async fn a_removed_user_is_signed_out() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::raw_sql(
        "delete from data.sessions; delete from data.user_emails; delete from data.users",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let mut account = app.account(&ada.credentials.access_token);
    let refused = account.get_user(GetUserRequest::default()).await.unwrap_err();
    refused.is(Code::Unauthenticated, "SESSION_REVOKED");
    let refused = app.refresh(&ada.credentials.refresh_token).await.unwrap_err();
    refused.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let refused = app.sign_in(&ada.email, PASSWORD).await.unwrap_err();
    refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
}
