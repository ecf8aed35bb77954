//! Signing keys that are rotated and withdrawn, and an auth-service that is away,
//! while people go on with their tasks: two replicas of each service, and a clock
//! that the test moves, so that whatever is in time is so by being told.

pub(crate) mod world;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use proto::{
    auth::v1::{
        Credentials, GetUserRequest, RevokeSigningKeyRequest, RotateSigningKeyRequest,
        SignOutRequest, VerifyTokenRequest, account_service_client::AccountServiceClient,
        auth_service_client::AuthServiceClient, token_service_client::TokenServiceClient,
    },
    task::v1::{ListTasksRequest, watch_tasks_response::Event},
};
use shared::{clock::Clock as _, testing::eventually};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};
use tonic_types::StatusExt as _;

use self::world::{World, refreshed};
use crate::{
    faults::Running,
    harness::{Bearer, channel, create, sign_up, tasks},
    revoked::{end, next, watching},
};

const ROTATIONS: usize = 20;
const CALLERS: usize = 4;
/// The longest a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Refreshes until this key signs.
async fn signed_with(
    key: &str,
    auth: &mut AuthServiceClient<Channel>,
    mut session: Credentials,
) -> Credentials {
    let signed = async {
        loop {
            session = refreshed(auth, &session).await.unwrap();
            if kid(&session.access_token) == key {
                return session;
            }
        }
    };
    timeout(PATIENCE, signed).await.expect("it signs")
}

/// The id of the key that a token is signed with.
pub(crate) fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Somebody who refreshes on either replica all the time, and calls everybody
/// with the token. Tells which keys they were signed with.
fn caller(
    world: &World,
    mut session: Credentials,
    called: Arc<AtomicUsize>,
    stopped: watch::Receiver<bool>,
) -> JoinHandle<HashSet<String>> {
    let auth: Vec<_> = world.auth.iter().map(|auth| channel(&auth.address)).collect();
    let task: Vec<_> = world.task.iter().map(|task| task.address.clone()).collect();
    tokio::spawn(async move {
        let mut kids = HashSet::new();
        for n in 0.. {
            if *stopped.borrow() {
                break;
            }
            let mut refresher = AuthServiceClient::new(auth[n % 2].clone());
            session = refreshed(&mut refresher, &session).await.expect("a refresh");
            let token = &session.access_token;
            kids.insert(kid(token));
            for address in &task {
                let listed = tasks(address, token).list_tasks(ListTasksRequest::default()).await;
                listed.expect("tasks are listed");
            }
            let (other, bearer) = (auth[(n + 1) % 2].clone(), Bearer(token.clone()));
            let mut account = AccountServiceClient::with_interceptor(other, bearer);
            account.get_user(GetUserRequest::default()).await.expect("the account is read");
            called.fetch_add(1, Ordering::SeqCst);
        }
        kids
    })
}

/// Keys are rotated 20 times by an operator, on either replica, while people
/// refresh and call: no call is refused, and each key has signed. The tokens of all
/// of them are good to the end.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_rotations_refuse_no_call() {
    let world = World::start().await;
    let (stop, stopped) = watch::channel(false);
    let called = Arc::new(AtomicUsize::new(0));
    let mut callers = Vec::new();
    for n in 0..CALLERS {
        let session = sign_up(&mut world.auth_client(n), &format!("ada{n}@example.org")).await;
        callers.push(caller(&world, session, called.clone(), stopped.clone()));
    }
    let (mut ordered, mut tokens) = (HashSet::new(), Vec::new());
    let mut session = sign_up(&mut world.auth_client(0), "eve@example.org").await;
    for n in 0..ROTATIONS {
        let mut admin = world.admin(n).await;
        let rotated = admin.rotate_signing_key(RotateSigningKeyRequest {}).await.unwrap();
        let next = rotated.into_inner().kid;
        for replica in 0..2 {
            // Nobody moves the clock: it signs because everybody knows it.
            session = signed_with(&next, &mut world.auth_client(replica), session).await;
        }
        assert!(ordered.insert(next), "each is another one");
        tokens.push(session.access_token.clone());
        // Everybody calls with it.
        let before = called.load(Ordering::SeqCst);
        eventually("they go on", async || called.load(Ordering::SeqCst) >= before + 2 * CALLERS)
            .await;
        world.clock.advance(Duration::from_secs(1));
    }
    stop.send_replace(true);
    // Of five minutes not even one has passed.
    assert_eq!(tokens.len(), ROTATIONS);
    for token in &tokens {
        for task in &world.task {
            let listed = tasks(&task.address, token).list_tasks(ListTasksRequest::default()).await;
            listed.expect("the token of an earlier key is good");
        }
    }
    let mut signed = HashSet::new();
    for caller in callers {
        signed.extend(caller.await.unwrap());
    }
    assert!(ordered.is_subset(&signed), "{ordered:#?}\n{signed:#?}");
    world.stop().await;
}

/// A key that others may know is withdrawn: within two seconds of the answer
/// every call and every open stream with its tokens is refused, by both replicas of
/// either service; whoever refreshes goes on. The clock stands still meanwhile: what
/// is in time is so by being told.
#[tokio::test(flavor = "multi_thread")]
async fn a_compromised_keys_tokens_are_refused_within_two_seconds() {
    let world = World::start().await;
    let mut session = sign_up(&mut world.auth_client(0), "ada@example.org").await;
    for round in 0..3 {
        // The token of task-service itself may have been of the withdrawn key.
        world.watched().await;
        session = refreshed(&mut world.auth_client(round), &session).await.unwrap();
        let token = session.access_token.clone();
        let mut streams = Vec::new();
        for task in &world.task {
            let mut client = tasks(&task.address, &token);
            create(&mut client, "Before").await.unwrap();
            streams.push(watching(&mut client).await);
        }
        for auth in &world.auth {
            account(auth, &token).get_user(GetUserRequest::default()).await.unwrap();
            assert!(is_active(auth, &token).await);
        }
        let began = world.clock.now();
        let mut admin = world.admin(round).await;
        let stolen = RevokeSigningKeyRequest { kid: kid(&token) };
        admin.revoke_signing_key(stolen).await.unwrap();
        for stream in &mut streams {
            is(&end(stream).await, "SESSION_REVOKED");
        }
        let refused = timeout(PATIENCE, refused_everywhere(&world, &token)).await;
        refused.expect("it is believed no more");
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

/// Calls every replica of either service until it believes this token no more.
async fn refused_everywhere(world: &World, token: &str) {
    for task in &world.task {
        let mut client = tasks(&task.address, token);
        let refusal = loop {
            if let Err(status) = client.list_tasks(ListTasksRequest::default()).await {
                break status;
            }
        };
        is(&refusal, "TOKEN_INVALID");
    }
    for auth in &world.auth {
        let mut client = account(auth, token);
        let refusal = loop {
            if let Err(status) = client.get_user(GetUserRequest::default()).await {
                break status;
            }
        };
        is(&refusal, "TOKEN_INVALID");
        // Although it was asked before, and may have remembered the answer.
        assert!(!is_active(auth, token).await);
    }
}

fn account(
    auth: &Running,
    token: &str,
) -> AccountServiceClient<InterceptedService<Channel, Bearer>> {
    AccountServiceClient::with_interceptor(channel(&auth.address), Bearer(token.to_owned()))
}

/// What auth-service says of a token to whoever asks.
async fn is_active(auth: &Running, token: &str) -> bool {
    let mut tokens = TokenServiceClient::new(channel(&auth.address));
    let request = VerifyTokenRequest { token: token.to_owned() };
    tokens.verify_token(request).await.unwrap().into_inner().active
}

#[track_caller]
fn is(status: &Status, reason: &str) {
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, reason);
}

/// Somebody who creates and lists tasks on both replicas all the time with one
/// token, and is never refused. Tells how many tasks were made.
fn worker(
    world: &World,
    token: String,
    called: Arc<AtomicUsize>,
    stopped: watch::Receiver<bool>,
) -> JoinHandle<usize> {
    let mut clients: Vec<_> = world.task.iter().map(|task| tasks(&task.address, &token)).collect();
    tokio::spawn(async move {
        let mut made = 0;
        while !*stopped.borrow() {
            for client in &mut clients {
                create(client, "During").await.expect("a task is made");
                made += 1;
                let request = ListTasksRequest { page_size: 1, ..ListTasksRequest::default() };
                let listed = client.list_tasks(request).await.expect("tasks are listed");
                assert_eq!(listed.into_inner().tasks.len(), 1);
            }
            called.fetch_add(1, Ordering::SeqCst);
        }
        made
    })
}

/// auth-service is away for more than a minute, in which task-service wants to
/// watch and to fetch the keys in vain: no call fails, and no stream ends. Once
/// it is back a key that was ordered before signs and is believed, and
/// task-service is told again what is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_auth_service_fails_no_task_call() {
    let mut world = World::start().await;
    let mut session = sign_up(&mut world.auth_client(0), "ada@example.org").await;
    // With a key that was made while the pair ran.
    let rotated = world.admin(0).await.rotate_signing_key(RotateSigningKeyRequest {}).await;
    let made = rotated.unwrap().into_inner().kid;
    for replica in 0..2 {
        session = signed_with(&made, &mut world.auth_client(replica), session).await;
    }
    let token = session.access_token.clone();
    let mut stream = watching(&mut tasks(&world.task[0].address, &token)).await;
    let (stop, stopped) = watch::channel(false);
    let called = Arc::new(AtomicUsize::new(0));
    let mut workers = vec![worker(&world, token.clone(), called.clone(), stopped.clone())];
    for n in 1..CALLERS {
        let email = format!("ada{n}@example.org");
        let token = sign_up(&mut world.auth_client(n), &email).await.access_token;
        assert_eq!(kid(&token), made);
        workers.push(worker(&world, token, called.clone(), stopped.clone()));
    }

    let rotated = world.admin(1).await.rotate_signing_key(RotateSigningKeyRequest {}).await;
    let ordered = rotated.unwrap().into_inner().kid;
    let mut addresses = Vec::new();
    for auth in world.auth.drain(..) {
        addresses.push(auth.kill().await);
    }
    let mut asked = Vec::new();
    for address in &addresses {
        asked.push(Deaf::at(address).await);
    }
    let they_go_on = async || {
        let before = called.load(Ordering::SeqCst);
        eventually("they go on", async || called.load(Ordering::SeqCst) >= before + 2 * CALLERS)
            .await;
    };
    let began = world.clock.now();
    while (world.clock.now() - began).num_seconds() < 90 {
        world.clock.advance(Duration::from_secs(5));
        they_go_on().await;
    }
    for deaf in &asked {
        eventually("it was asked in vain", async || deaf.asked() > 3).await;
    }
    they_go_on().await;
    stop.send_replace(true);
    let mut workers = workers.into_iter();
    let mut made = workers.next().unwrap().await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    while made > 0 {
        if let Some(Event::Changes(told)) = next(&mut stream).await.unwrap().event {
            made -= told.changes.len();
        }
    }

    drop(asked);
    for address in &addresses {
        let auth = world.auth(address).await;
        world.auth.push(auth);
    }
    world.watched().await;
    for replica in 0..2 {
        session = signed_with(&ordered, &mut world.auth_client(replica), session).await;
    }
    for task in &world.task {
        create(&mut tasks(&task.address, &session.access_token), "After").await.unwrap();
    }
    let request = SignOutRequest { refresh_token: session.refresh_token.clone() };
    world.auth_client(1).sign_out(request).await.unwrap();
    is(&end(&mut stream).await, "SESSION_REVOKED");
    for task in &world.task {
        eventually("it is refused", async || {
            create(&mut tasks(&task.address, &token), "Too late").await.is_err()
        })
        .await;
    }
    world.stop().await;
}

/// Somebody who takes connections and never says a word.
struct Deaf {
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Deaf {
    async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { asked, task }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.task.abort();
    }
}
