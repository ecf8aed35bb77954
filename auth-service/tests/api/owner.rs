//! What an owner sees of the account: what happened to it. And what all of the
//! owner's methods have in common: whose account it is, and a recent proof.

use proto::auth::v1::{
    Activity, DeleteUserRequest, ExportUserRequest, ListActivityRequest, ReinstateUserRequest,
    RevokeSessionRequest,
};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
    operators::suspend,
};

impl TestApp {
    /// A page of what happened.
    async fn activity(
        &self,
        token: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<(Vec<Activity>, String), Status> {
        let page_token = page_token.to_owned();
        let request = ListActivityRequest { parent: String::new(), page_size, page_token };
        let answer = self.account(token).list_activity(request).await?.into_inner();
        Ok((answer.activities, answer.next_page_token))
    }

    /// Everything that happened, as the API shows it.
    pub(crate) async fn all_activity(&self, token: &str) -> Vec<Activity> {
        let (all, next) = self.activity(token, 500, "").await.unwrap();
        assert_eq!(next, "");
        all
    }
}

impl Person {
    pub(crate) fn token(&self) -> &str {
        &self.credentials.access_token
    }

    pub(crate) fn deletion(&self, request_id: &str) -> DeleteUserRequest {
        let (email, request_id) = (self.email.clone(), request_id.to_owned());
        DeleteUserRequest { name: self.name.clone(), email, request_id }
    }
}

/// The methods on the whole of an account, with the name of the user `name`.
pub(crate) async fn refusals(
    app: &TestApp,
    token: &str,
    name: &str,
) -> Vec<(&'static str, Option<Status>)> {
    let mut account = app.account(token);
    let name = name.to_owned();
    let activity = ListActivityRequest { parent: name.clone(), ..Default::default() };
    let export = ExportUserRequest { name: name.clone() };
    let email = "bob@example.org".to_owned();
    let delete = DeleteUserRequest { name, email, request_id: String::new() };
    vec![
        ("ListActivity", account.list_activity(activity).await.err()),
        ("ExportUser", account.export_user(export).await.err()),
        ("DeleteUser", account.delete_user(delete).await.err()),
    ]
}

fn kinds(activities: &[Activity]) -> Vec<&str> {
    activities.iter().map(|activity| activity.kind.as_str()).collect()
}

#[tokio::test]
async fn an_owner_sees_what_happened_newest_first_and_nobody_elses() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let bob = app.signed_up("bob").await;
    app.clock.advance(minutes(1));
    let second = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    app.clock.advance(minutes(1));
    let revoke = RevokeSessionRequest { name: ada.credentials.session.clone() };
    app.account(&second.access_token).revoke_session(revoke).await.unwrap();

    let all = app.all_activity(&second.access_token).await;
    assert_eq!(kinds(&all), ["session.revoked", "sign_in", "sign_up"]);
    assert_eq!(all[0].session, ada.credentials.session);
    assert_eq!(all[1].session, second.session);
    assert!(all.iter().all(|activity| activity.address_prefix == "127.0.0.0/24"));
    assert!(all.iter().all(|activity| activity.device_label.starts_with("tonic/")));
    let seconds: Vec<i64> =
        all.iter().map(|activity| activity.create_time.unwrap().seconds).collect();
    assert_eq!([seconds[0] - seconds[1], seconds[1] - seconds[2]], [60, 60]);
    assert_eq!(kinds(&app.all_activity(bob.token()).await), ["sign_up"]);

    // A session that is over sees nothing.
    let over = app.activity(ada.token(), 0, "").await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
}

#[tokio::test]
async fn activity_comes_in_pages_that_belong_to_their_owner() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    for _ in 0..6 {
        app.sign_in(&ada.email, PASSWORD).await.unwrap();
    }
    let all = app.all_activity(ada.token()).await;
    assert_eq!(all.len(), 7);
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let (page, token) = app.activity(ada.token(), 3, &next).await.unwrap();
        // What happens meanwhile does not shift the pages.
        app.sign_in(&ada.email, PASSWORD).await.unwrap();
        assert!(page.len() <= 3);
        paged.extend(page);
        if token.is_empty() {
            break;
        }
        next = token;
        let stolen = app.activity(bob.token(), 3, &next).await.unwrap_err();
        stolen.is(Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    }
    assert_eq!(paged, all);
    for (size, token, reason, field) in
        [(-1, "", "FIELD_INVALID", "page_size"), (0, "junk", "PAGE_TOKEN_INVALID", "page_token")]
    {
        let bad = app.activity(ada.token(), size, token).await.unwrap_err();
        bad.is(Code::InvalidArgument, reason);
        assert_eq!(bad.fields(), [field]);
    }
}

/// What could cost the account asks that its owner was there lately.
#[tokio::test]
async fn an_old_proof_is_not_enough_to_take_out_or_to_delete() {
    let app = TestApp::start_with(&["--access-token-ttl=1h"]).await;
    let ada = app.signed_up("ada").await;
    app.clock.advance(minutes(11));
    let mut account = app.account(ada.token());
    let export = account.export_user(ExportUserRequest::default()).await.unwrap_err();
    let delete = account.delete_user(ada.deletion("")).await.unwrap_err();
    for refused in [export, delete] {
        refused.is(Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.metadata["max_auth_age"], "600");
    }
    assert_eq!(kinds(&app.all_activity(ada.token()).await), ["sign_up"]);
    // To look is no danger, and a new sign-in is a proof.
    let fresh = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let mut account = app.account(&fresh.access_token);
    account.export_user(ExportUserRequest::default()).await.unwrap();
}

/// What an operator did with the account is told, and not from where nor why.
#[tokio::test]
async fn an_owner_learns_what_operators_did_and_nothing_about_them() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let ada = app.signed_up("ada").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    suspend(&mut admin, &ada.name).await.unwrap();
    let request = ReinstateUserRequest { name: ada.name.clone() };
    admin.reinstate_user(request).await.unwrap();
    let fresh = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let all = app.all_activity(&fresh.access_token).await;
    let said = ["sign_in", "admin.user.reinstated", "admin.user.suspended", "sign_up"];
    assert_eq!(kinds(&all), said);
    for activity in all {
        let told = !activity.address_prefix.is_empty() && !activity.device_label.is_empty();
        assert_eq!(told, !activity.kind.starts_with("admin."), "{}", activity.kind);
    }

    let mut account = app.account(&fresh.access_token);
    let export = account.export_user(ExportUserRequest::default()).await.unwrap();
    let mut pieces = export.into_inner();
    let mut document = Vec::new();
    while let Some(piece) = pieces.message().await.unwrap() {
        document.extend(piece.data);
    }
    let document: Value = serde_json::from_slice(&document).unwrap();
    let suspended = &document["activity"][3];
    let said = json!({
        "kind": "admin.user.suspended", "create_time": suspended["create_time"],
        "address_prefix": "", "device_label": "",
    });
    assert_eq!(*suspended, said);
}
