//! Signing keys that are rotated while people go on with their tasks: two replicas of
//! each service, and a clock that the test moves, so that whatever is in time is so by
//! being told.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proto::{
    auth::v1::{
        Credentials, GetUserRequest, RotateSigningKeyRequest,
        account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    },
    task::v1::ListTasksRequest,
};
use shared::testing::eventually;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    harness::{Bearer, channel, sign_up, tasks},
    world::{World, kid, refreshed, signed_with},
};

const ROTATIONS: usize = 20;
const CALLERS: usize = 4;

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
