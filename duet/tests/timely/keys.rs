//! A signing key that others may know is withdrawn, or a service is let in no more:
//! the tokens are refused.

use futures_util::future::{join, join_all};
use proto::{
    auth::v1::{
        CreateServiceAccountRequest, DeleteServiceAccountRequest, GetUserRequest,
        IssueServiceTokenRequest, RevokeSigningKeyRequest, VerifyTokenRequest,
        account_service_client::AccountServiceClient, issue_service_token_request::Credential,
        token_service_client::TokenServiceClient,
    },
    task::v1::{ListTasksRequest, WatchTasksResponse},
};
use shared::{clock::Clock as _, testing::eventually};
use tokio::time::timeout;
use tonic::{Streaming, service::interceptor::InterceptedService, transport::Channel};

use crate::{
    AT_MOST, alone, end,
    harness::{Bearer, Tasks, channel, create, sign_up, tasks},
    is, until_refused, watching,
    world::{World, kid, refreshed},
};

/// A token that a replica of each service has accepted, with what it watches.
struct Used {
    tasks: Tasks,
    stream: Streaming<WatchTasksResponse>,
    account: AccountServiceClient<InterceptedService<Channel, Bearer>>,
    tokens: TokenServiceClient<Channel>,
    token: String,
}

impl Used {
    /// At every replica.
    async fn everywhere(world: &World, token: &str) -> Vec<Self> {
        let mut used = Vec::new();
        for (auth, task) in world.auth.iter().zip(&world.task) {
            let mut tasks = tasks(&task.address, token);
            create(&mut tasks, "Before").await.unwrap();
            let stream = watching(&mut tasks).await;
            let (auth, token) = (channel(&auth.address), token.to_owned());
            let bearer = Bearer(token.clone());
            let mut account = AccountServiceClient::with_interceptor(auth.clone(), bearer);
            account.get_user(GetUserRequest::default()).await.unwrap();
            let tokens = TokenServiceClient::new(auth);
            let mut one = Self { tasks, stream, account, tokens, token };
            assert!(one.is_active().await);
            used.push(one);
        }
        used
    }

    /// What auth-service says of the token to whoever asks.
    async fn is_active(&mut self) -> bool {
        let request = VerifyTokenRequest { token: self.token.clone() };
        self.tokens.verify_token(request).await.unwrap().into_inner().active
    }

    /// Calls and reads until all of it is refused.
    async fn is_over(&mut self) {
        let ended = async {
            let Self { stream, tasks, .. } = self;
            let listed = async {
                until_refused(async || tasks.list_tasks(ListTasksRequest::default()).await).await
            };
            join(end(stream), listed).await
        };
        let (ended, listed) = ended.await;
        is(&ended, "SESSION_REVOKED");
        is(&listed, "TOKEN_INVALID");
        let account = &mut self.account;
        let read = until_refused(async || account.get_user(GetUserRequest::default()).await).await;
        is(&read, "TOKEN_INVALID");
        // Although it was asked before, and may have remembered the answer.
        assert!(!self.is_active().await);
    }
}

/// Within two seconds of the answer every call and every open stream with the tokens
/// of a withdrawn key is refused, by both replicas of either service; whoever
/// refreshes goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_keys_tokens_are_refused_within_two_seconds() {
    let (_alone, world) = alone().await;
    let mut session = sign_up(&mut world.auth_client(0), "ada@example.org").await;
    for round in 0..3 {
        // The token of task-service itself may have been of the withdrawn key.
        world.watched().await;
        session = refreshed(&mut world.auth_client(round), &session).await.unwrap();
        let token = session.access_token.clone();
        let mut over = Used::everywhere(&world, &token).await;

        let mut admin = world.admin(round).await;
        let began = world.clock.now();
        let stolen = RevokeSigningKeyRequest { kid: kid(&token) };
        admin.revoke_signing_key(stolen).await.unwrap();
        let all_over = join_all(over.iter_mut().map(Used::is_over));
        timeout(AT_MOST, all_over).await.expect("it is believed no more in time");
        assert_eq!(world.clock.now(), began);

        session = refreshed(&mut world.auth_client(round), &session).await.unwrap();
        assert_ne!(kid(&session.access_token), kid(&token));
        for task in &world.task {
            eventually("the new key is known", async || {
                create(&mut tasks(&task.address, &session.access_token), "After").await.is_ok()
            })
            .await;
        }
    }
    world.stop().await;
}

/// The tokens of a service account that is deleted are good for nothing within two
/// seconds of the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_services_tokens_are_refused_within_two_seconds() {
    let (_alone, world) = alone().await;
    let ada = sign_up(&mut world.auth_client(0), "ada@example.org").await;
    let (parent, _) = ada.session.split_once("/sessions/").unwrap();
    let mut admin = world.admin(0).await;
    let (name, scopes) = ("serviceAccounts/reporter".to_owned(), vec!["tasks:read".to_owned()]);
    let account = CreateServiceAccountRequest { name: name.clone(), scopes, ..Default::default() };
    let secret = admin.create_service_account(account).await.unwrap().into_inner().secret;
    let request = IssueServiceTokenRequest {
        credential: Some(Credential::Secret(secret)),
        ..IssueServiceTokenRequest::default()
    };
    let mut tokens = TokenServiceClient::new(channel(&world.auth[1].address));
    let token = tokens.issue_service_token(request).await.unwrap().into_inner().access_token;
    let request = ListTasksRequest { parent: parent.to_owned(), ..ListTasksRequest::default() };
    let mut readers: Vec<_> = world.task.iter().map(|task| tasks(&task.address, &token)).collect();
    for reader in &mut readers {
        reader.list_tasks(request.clone()).await.unwrap();
    }

    let began = world.clock.now();
    admin.delete_service_account(DeleteServiceAccountRequest { name }).await.unwrap();
    let all_refused = join_all(readers.iter_mut().map(async |reader| {
        until_refused(async || reader.list_tasks(request.clone()).await).await
    }));
    let all_refused = timeout(AT_MOST, all_refused).await;
    for refused in all_refused.expect("it is let in no more in time") {
        is(&refused, "TOKEN_INVALID");
    }
    assert_eq!(world.clock.now(), began);
    world.stop().await;
}
