//! More sign-ins at once than a machine can check, at the real cost of a hash,
//! while somebody works with tasks: the pair says no to what is too much, in
//! time, and with no more memory than it always takes.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proto::{
    auth::v1::{SignInRequest, SignInResponse, auth_service_client::AuthServiceClient},
    task::v1::ListTasksRequest,
};
use tokio::{sync::oneshot, time::timeout};
use tonic::{Code, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::harness::{PASSWORD, Tasks, Up, create, folder, sign_up};

const SIGN_INS: usize = 500;
const CONNECTIONS: usize = 20;
/// Of these have an account, and the right password.
const PEOPLE: usize = 10;
const HASHERS: u64 = 2;
/// What a hash takes, in KiB.
const HASH: u64 = 19_456;
/// What the calls themselves may take, in KiB.
const REST: u64 = 25_000;
/// The longest that a call may take: a sign-in has ten seconds once it is there.
const AT_MOST: Duration = Duration::from_secs(15);

/// The most memory that a process ever had, in KiB.
fn peak(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn sign_in(
    mut auth: AuthServiceClient<Channel>,
    email: String,
) -> Result<Response<SignInResponse>, Status> {
    let password = PASSWORD.to_owned();
    let request = SignInRequest { email, password, ..SignInRequest::default() };
    timeout(AT_MOST, auth.sign_in(request)).await.expect("it is answered")
}

/// Reads tasks until it is told to stop, and counts how often.
async fn read(mut tasks: Tasks, count: Arc<AtomicUsize>, mut stopped: oneshot::Receiver<()>) {
    while stopped.try_recv().is_err() {
        let listed = timeout(AT_MOST, tasks.list_tasks(ListTasksRequest::default()));
        let listed = listed.await.expect("it is answered").unwrap().into_inner();
        assert_eq!(listed.tasks.len(), 1);
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// At the settings that everybody has, but for the limit of one address.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_sign_ins_is_weathered() {
    let data = folder();
    let hashers = HASHERS.to_string();
    let variables = [("AUTH_HASHING_THREADS", &*hashers), ("AUTH_SIGN_IN_PER_ADDRESS", "100000")];
    let up = Up::start_with(data.path(), &variables).await;
    let before = peak(up.pid());
    let mut auth = up.auth();
    let mut sessions = Vec::new();
    for n in 0..PEOPLE {
        sessions.push(sign_up(&mut auth, &format!("person{n}@example.org")).await);
    }
    let mut tasks = up.tasks(&sessions[0].access_token);
    create(&mut tasks, "Milk").await.unwrap();

    let (stop, stopped) = oneshot::channel();
    let count = Arc::new(AtomicUsize::new(0));
    let reader = tokio::spawn(read(tasks, count.clone(), stopped));
    // One connection would have its calls wait for each other.
    let clients = [(); CONNECTIONS].map(|()| up.auth());
    let storm: Vec<_> = (0..SIGN_INS)
        .map(|n| (clients[n % CONNECTIONS].clone(), format!("person{n}@example.org")))
        .map(|(client, email)| {
            let count = count.clone();
            tokio::spawn(async move {
                let answer = sign_in(client, email).await;
                (answer, count.load(Ordering::SeqCst))
            })
        })
        .collect();
    let (mut checked, mut refused) = (0, 0);
    // How often tasks were read by when the first was answered, and the last.
    let (mut first, mut last) = (usize::MAX, 0);
    for (n, call) in storm.into_iter().enumerate() {
        let (answer, read) = call.await.unwrap();
        (first, last) = (first.min(read), last.max(read));
        match answer {
            Ok(_) => {
                assert!(n < PEOPLE, "nobody else has an account");
                checked += 1;
            }
            Err(status) if status.code() == Code::Unauthenticated => {
                assert!(n >= PEOPLE, "the password is right: {status:?}");
                checked += 1;
            }
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
                let retry = status.get_details_retry_info().expect("when to come back");
                assert!(retry.retry_delay.is_some_and(|delay| !delay.is_zero()), "{retry:?}");
                refused += 1;
            }
        }
    }
    stop.send(()).unwrap();
    reader.await.unwrap();
    assert!(last > first, "no tasks were read meanwhile");
    assert!(checked > 0 && refused > 0, "{checked} were checked, {refused} refused");
    let after = peak(up.pid());
    assert!(after <= before + HASHERS * HASH + REST, "{before} KiB became {after}");
    up.stop().await;
}
