//! The operators' commands: what they ask for, and what they show.

use std::{collections::HashMap, fs};

use prost_types::Timestamp;
use proto::auth::v1::{
    self as pb, AuditEvent, CreateServiceAccountRequest, ImportUsersRequest, ListUsersRequest,
    ReinstateUserRequest, RevokeSigningKeyRequest, ServiceAccount, SuspendUserRequest, User,
    UserAccount, import_users_response::Result as Row,
};
use tonic::{Request, Response, Status};

use super::{
    House,
    fake::{Services, status},
    owner::PASSWORD,
};

const TIME: Option<Timestamp> = Some(Timestamp { seconds: 1_800_000_000, nanos: 0 });

fn account(request: &ListUsersRequest) -> UserAccount {
    let email = match request.email.as_str() {
        "" => "ada\u{1b}@example.org",
        email => email,
    };
    let user = User { name: "users/1234".to_owned(), email: email.to_owned(), ..User::default() };
    UserAccount { user: Some(user), suspend_time: TIME, has_second_factor: true, admin: true }
}

#[tonic::async_trait]
impl pb::admin_service_server::AdminService for Services {
    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<pb::ListUsersResponse>, Status> {
        self.check(&request)?;
        let request = request.into_inner();
        if request.email == "nobody@example.org" {
            return Ok(Response::new(pb::ListUsersResponse::default()));
        }
        let all = usize::try_from(request.page_size).unwrap().min(2);
        let users = vec![account(&request); all];
        let next_page_token = "more".to_owned();
        Ok(Response::new(pb::ListUsersResponse { users, next_page_token }))
    }

    async fn suspend_user(
        &self,
        request: Request<SuspendUserRequest>,
    ) -> Result<Response<pb::SuspendUserResponse>, Status> {
        self.check(&request)?;
        let user = Some(account(&ListUsersRequest::default()));
        Ok(Response::new(pb::SuspendUserResponse { user }))
    }

    async fn reinstate_user(
        &self,
        request: Request<ReinstateUserRequest>,
    ) -> Result<Response<pb::ReinstateUserResponse>, Status> {
        self.account(request, |account, _| account.recent())?;
        let user = Some(account(&ListUsersRequest::default()));
        Ok(Response::new(pb::ReinstateUserResponse { user }))
    }

    async fn import_users(
        &self,
        request: Request<ImportUsersRequest>,
    ) -> Result<Response<pb::ImportUsersResponse>, Status> {
        self.check(&request)?;
        self.0.lock().unwrap().account.recent().map_err(status)?;
        let result = |user: &pb::import_users_request::ImportedUser| match user.email.as_str() {
            "taken@example.org" => Row {
                field: "email".to_owned(),
                description: "Taken.".to_owned(),
                ..Row::default()
            },
            _ => Row { user: "users/1234".to_owned(), ..Row::default() },
        };
        let results = request.get_ref().users.iter().map(result).collect();
        Ok(Response::new(pb::ImportUsersResponse { results }))
    }

    async fn create_service_account(
        &self,
        request: Request<CreateServiceAccountRequest>,
    ) -> Result<Response<pb::CreateServiceAccountResponse>, Status> {
        self.check(&request)?;
        let CreateServiceAccountRequest { name, scopes, public_key } = request.into_inner();
        let secret = if public_key.is_empty() { "ds_secret".to_owned() } else { String::new() };
        let account = ServiceAccount { name, scopes, ..ServiceAccount::default() };
        let service_account = Some(account);
        Ok(Response::new(pb::CreateServiceAccountResponse { service_account, secret }))
    }

    async fn list_service_accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Result<Response<pb::ListServiceAccountsResponse>, Status> {
        self.check(&request)?;
        let account = ServiceAccount {
            name: "serviceAccounts/reporter".to_owned(),
            scopes: vec!["tasks:read".to_owned(), "trust:watch".to_owned()],
            secret_create_times: vec![TIME.unwrap()],
            ..ServiceAccount::default()
        };
        let service_accounts = vec![account];
        Ok(Response::new(pb::ListServiceAccountsResponse { service_accounts }))
    }

    async fn delete_service_account(
        &self,
        request: Request<pb::DeleteServiceAccountRequest>,
    ) -> Result<Response<pb::DeleteServiceAccountResponse>, Status> {
        self.check(&request)?;
        Ok(Response::new(pb::DeleteServiceAccountResponse {}))
    }

    async fn rotate_signing_key(
        &self,
        request: Request<pb::RotateSigningKeyRequest>,
    ) -> Result<Response<pb::RotateSigningKeyResponse>, Status> {
        self.check(&request)?;
        let kid = "new-key".to_owned();
        Ok(Response::new(pb::RotateSigningKeyResponse { kid, activate_time: TIME }))
    }

    async fn revoke_signing_key(
        &self,
        request: Request<RevokeSigningKeyRequest>,
    ) -> Result<Response<pb::RevokeSigningKeyResponse>, Status> {
        self.check(&request)?;
        Ok(Response::new(pb::RevokeSigningKeyResponse {}))
    }

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        self.check(&request)?;
        let event = AuditEvent {
            kind: "admin.user.suspended".to_owned(),
            actor: "users/5678".to_owned(),
            user: request.into_inner().parent,
            details: HashMap::from([("reason".to_owned(), "spam\u{1b}".to_owned())]),
            sequence: 7,
            ..AuditEvent::default()
        };
        let (events, next_page_token) = (vec![event], String::new());
        Ok(Response::new(pb::ListAuditEventsResponse { events, next_page_token }))
    }
}

#[tokio::test]
async fn accounts_are_listed_and_closed_by_any_of_their_names() {
    let house = House::signed_in().await;
    let shown = house.sees("admin users --limit 3").await;
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert!(shown.contains("operator, second factor, not verified, closed since"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let json = house.gets("admin users --limit 1 --email bob@example.org").await;
    assert_eq!(json["users"][0]["user"]["email"], "bob@example.org");
    assert_eq!(json["users"][0]["admin"], true);
    assert_eq!(json["users"].as_array().unwrap().len(), 1);

    for user in ["bob@example.org", "users/1234", "1234"] {
        house.sees(&format!("admin suspend {user} --reason spam")).await;
        let asked: SuspendUserRequest = house.last();
        assert_eq!((asked.name.as_str(), asked.reason.as_str()), ("users/1234", "spam"));
    }
    let ran = house.duet("admin suspend nobody@example.org", true).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (5, "nobody@example.org has no account.\n"));
    house.sees("admin reinstate 1234").await;
}

#[tokio::test]
async fn an_operator_who_proved_long_ago_is_asked() {
    let house = House::signed_in().await;
    let path = house.folder().join("users.jsonl");
    let line = |email: &str| format!("{{\"email\":\"{email}\",\"passwordHash\":\"$2b$\"}}\n");
    fs::write(&path, line("bob@example.org")).unwrap();
    for command in ["reinstate 1234".to_owned(), format!("import {}", path.display())] {
        house.asked(|script| script.account.is_stale = true);
        let ran = house.duet(&format!("admin {command}"), true).await;
        let told = "There is no terminal to ask for the password; use --password-stdin.\n";
        assert_eq!((ran.exit, ran.errors.as_str()), (64, told));
        let (ran, asked) = house.asks(&format!("admin {command}"), &[PASSWORD]).await;
        assert_eq!((ran.exit, asked.len()), (0, 1), "{ran:?}");
    }
    // The password comes first, then the file.
    house.asked(|script| script.account.is_stale = true);
    let input = format!("{PASSWORD}\n{}", line("bob@example.org"));
    let ran = house.reads("admin --password-stdin import -", &input).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(house.last::<ImportUsersRequest>().users.len(), 1);
}

#[tokio::test]
async fn a_file_of_accounts_is_imported_and_what_was_not_made_is_told() {
    let house = House::signed_in().await;
    let path = house.folder().join("users.jsonl");
    let line = |email: &str| format!("{{\"email\":\"{email}\",\"passwordHash\":\"$2b$\"}}\n");
    let mut file = line("taken@example.org");
    for n in 0..600 {
        file += &line(&format!("user-{n}@example.org"));
    }
    fs::write(&path, file).unwrap();
    let shown = house.sees(&format!("admin import {}", path.display())).await;
    assert!(shown.starts_with("600 accounts were made.\n\nNot made:\n"), "{shown}");
    assert!(shown.contains("taken@example.org") && !shown.contains("$2b$"), "{shown}");
    let sizes: Vec<usize> = house
        .asked(|script| script.all::<ImportUsersRequest>())
        .iter()
        .map(|request| request.users.len())
        .collect();
    assert_eq!(sizes, [500, 101]);
    let json = house.gets(&format!("admin import {}", path.display())).await;
    assert_eq!(json["made"], 600);
    assert_eq!(json["refused"][0]["line"], 1);

    // A lost answer is no reason to ask again: what was made would seem taken.
    house.asked(|script| script.unavailable = 1);
    assert_eq!(house.duet(&format!("admin import {}", path.display()), true).await.exit, 14);
    fs::write(&path, "{}").unwrap();
    let ran = house.duet(&format!("admin import {}", path.display()), true).await;
    assert_eq!(ran.exit, 64);
}

#[tokio::test]
async fn machines_get_secrets_once() {
    let house = House::signed_in().await;
    let shown = house.sees("admin service-accounts create reporter --scope tasks:read").await;
    assert!(shown.ends_with("shown only now:\nds_secret\n"), "{shown}");
    let asked: CreateServiceAccountRequest = house.last();
    assert_eq!((asked.name.as_str(), asked.scopes.len()), ("serviceAccounts/reporter", 1));
    let key = house.folder().join("key.json");
    fs::write(&key, "{\"kty\":\"OKP\"}").unwrap();
    let line = format!("admin service-accounts create reporter --public-key {}", key.display());
    assert_eq!(house.gets(&line).await["secret"], "");
    assert_eq!(house.last::<CreateServiceAccountRequest>().public_key, "{\"kty\":\"OKP\"}");
    house.asked(|script| script.unavailable = 1);
    assert_eq!(house.duet("admin service-accounts create reporter", true).await.exit, 14);

    assert!(house.sees("admin service-accounts").await.contains("tasks:read trust:watch"));
    let json = house.gets("admin service-accounts list").await;
    assert_eq!(json["serviceAccounts"][0]["name"], "serviceAccounts/reporter");
    house.sees("admin service-accounts delete reporter").await;
    let asked: pb::DeleteServiceAccountRequest = house.last();
    assert_eq!(asked.name, "serviceAccounts/reporter");
    assert!(house.sees("admin keys rotate").await.starts_with("The key new-key signs at "));
    house.sees("admin keys revoke old-key").await;
    assert_eq!(house.last::<RevokeSigningKeyRequest>().kid, "old-key");
}

#[tokio::test]
async fn the_log_is_shown_safely() {
    let house = House::signed_in().await;
    let shown = house.sees("admin audit bob@example.org").await;
    assert!(shown.contains("admin.user.suspended") && shown.contains("reason=spam"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert_eq!(house.last::<pb::ListAuditEventsRequest>().parent, "users/1234");
    let json = house.gets("admin audit").await;
    assert_eq!(json["events"][0]["sequence"], "7");
    assert_eq!(house.last::<pb::ListAuditEventsRequest>().parent, "");
}
