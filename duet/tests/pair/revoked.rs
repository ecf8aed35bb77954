//! Who is signed out on another device: what is open there ends, and nothing is
//! answered any more.

use std::time::{Duration, Instant};

use proto::{
    auth::v1::{RevokeOtherSessionsRequest, account_service_client::AccountServiceClient},
    task::v1::{WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event},
};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::harness::{Bearer, PASSWORD, Tasks, Up, channel, create, folder, sign_in, sign_up};

const EMAIL: &str = "ada@example.org";
/// The longest a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Signed out on the laptop, the phone's open stream ends within two seconds and
/// its token is refused, long before it expires; the laptop goes on.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_out_elsewhere_watches_no_more() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let mut auth = up.auth();
    let laptop = sign_up(&mut auth, EMAIL).await;
    let bearer = Bearer(laptop.access_token.clone());
    let mut account = AccountServiceClient::with_interceptor(channel(&up.auth), bearer);
    let mut stays = watching(&mut up.tasks(&laptop.access_token)).await;
    for round in 0..2 {
        let phone = sign_in(&mut auth, EMAIL, PASSWORD).await.unwrap();
        let mut tasks = up.tasks(&phone.access_token);
        let mut stream = watching(&mut tasks).await;
        create(&mut tasks, "From the phone").await.unwrap();

        let began = Instant::now();
        account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await.unwrap();
        revoked(&end(&mut stream).await);
        // The first may come while the services are still finding each other.
        assert!(round == 0 || began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        revoked(&create(&mut tasks, "Too late").await.unwrap_err());
    }
    create(&mut up.tasks(&laptop.access_token), "From the laptop").await.unwrap();
    let mut seen = 0;
    while seen < 3 {
        if let Some(Event::Changes(told)) = next(&mut stays).await.unwrap().event {
            seen += told.changes.len();
        }
    }
    up.stop().await;
}

/// A stream that has told everything there was.
pub(crate) async fn watching(tasks: &mut Tasks) -> Streaming<WatchTasksResponse> {
    let mut stream = tasks.watch_tasks(WatchTasksRequest::default()).await.unwrap().into_inner();
    while !matches!(next(&mut stream).await.unwrap().event, Some(Event::Current(_))) {}
    stream
}

pub(crate) async fn next(
    stream: &mut Streaming<WatchTasksResponse>,
) -> Result<WatchTasksResponse, Status> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await;
    Ok(next.expect("an event comes")?.expect("a stream ends with a status"))
}

/// The status that a stream ends with.
pub(crate) async fn end(stream: &mut Streaming<WatchTasksResponse>) -> Status {
    loop {
        if let Err(status) = next(stream).await {
            return status;
        }
    }
}

#[track_caller]
fn revoked(status: &Status) {
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "SESSION_REVOKED");
}
