//! Whose session ended, whatever ended it: what is open ends, and nothing is
//! answered any more, within two seconds and by every replica.

use std::time::{Duration, Instant};

use proto::{
    auth::v1::{
        ChangePasswordRequest, Credentials, DeleteUserRequest, GetUserRequest,
        RevokeOtherSessionsRequest, RevokeSessionRequest, SignOutRequest, SuspendUserRequest,
        account_service_client::AccountServiceClient,
    },
    task::v1::{
        ListTasksRequest, WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event,
    },
};
use shared::clock::Clock as _;
use tokio::time::timeout;
use tonic::{
    Code, Status, Streaming, service::interceptor::InterceptedService, transport::Channel,
};
use tonic_types::StatusExt as _;

use crate::{
    harness::{Bearer, PASSWORD, Tasks, Up, channel, create, folder, sign_in, sign_up, tasks},
    rotation::world::World,
};

const EMAIL: &str = "ada@example.org";
/// The longest a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How soon nothing is answered any more.
pub(crate) const AT_MOST: Duration = Duration::from_secs(2);

type Account = AccountServiceClient<InterceptedService<Channel, Bearer>>;

/// What ends the session of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    SignOut,
    RevokeSession,
    RevokeOtherSessions,
    ChangePassword,
    SuspendUser,
    DeleteUser,
}

use Ending::{
    ChangePassword, DeleteUser, RevokeOtherSessions, RevokeSession, SignOut, SuspendUser,
};

const ENDINGS: [Ending; 6] =
    [SignOut, RevokeSession, RevokeOtherSessions, ChangePassword, SuspendUser, DeleteUser];

impl Ending {
    /// Whether the session of the laptop ends with it.
    fn ends_all(self) -> bool {
        [SuspendUser, DeleteUser].contains(&self)
    }

    /// Does it, and returns when it is answered.
    async fn happen(self, world: &World, email: &str, laptop: &Credentials, phone: &Credentials) {
        let mut account = account(world, 0, laptop);
        let (user, _) = phone.session.split_once("/sessions/").unwrap();
        let name = user.to_owned();
        match self {
            SignOut => {
                let request = SignOutRequest { refresh_token: phone.refresh_token.clone() };
                world.auth_client(0).sign_out(request).await.map(drop)
            }
            RevokeSession => {
                let request = RevokeSessionRequest { name: phone.session.clone() };
                account.revoke_session(request).await.map(drop)
            }
            RevokeOtherSessions => {
                let request = RevokeOtherSessionsRequest { parent: name };
                account.revoke_other_sessions(request).await.map(drop)
            }
            ChangePassword => {
                let new_password = "trombone-Walnut-19".to_owned();
                let current_password = PASSWORD.to_owned();
                let request = ChangePasswordRequest { name, current_password, new_password };
                account.change_password(request).await.map(drop)
            }
            SuspendUser => {
                let mut admin = world.admin(0).await;
                let request = SuspendUserRequest { name, reason: "It was stolen.".to_owned() };
                admin.suspend_user(request).await.map(drop)
            }
            DeleteUser => {
                let request = DeleteUserRequest { email: email.to_owned(), ..Default::default() };
                account.delete_user(request).await.map(drop)
            }
        }
        .unwrap();
    }
}

fn account(world: &World, n: usize, session: &Credentials) -> Account {
    let bearer = Bearer(session.access_token.clone());
    AccountServiceClient::with_interceptor(channel(&world.auth[n].address), bearer)
}

/// Whatever ends a session, every replica of either service refuses its calls
/// within two seconds of the answer, and its open streams have ended by then; a
/// session that it leaves alone goes on. The clock stands still meanwhile: what
/// is in time is so by being told.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_session_ends_it_everywhere_within_two_seconds() {
    let world = World::start().await;
    for ending in ENDINGS {
        let email = format!("{ending:?}@example.org").to_lowercase();
        let mut auth = world.auth_client(0);
        let laptop = sign_up(&mut auth, &email).await;
        let phone = sign_in(&mut auth, &email, PASSWORD).await.unwrap();
        let (mut open, mut others) = (Vec::new(), Vec::new());
        for task in &world.task {
            let mut client = tasks(&task.address, &phone.access_token);
            create(&mut client, "From the phone").await.unwrap();
            open.push(watching(&mut client).await);
            others.push(watching(&mut tasks(&task.address, &laptop.access_token)).await);
        }

        let began = world.clock.now();
        ending.happen(&world, &email, &laptop, &phone).await;
        let mut over = vec![(&phone, open)];
        let stays = if ending.ends_all() {
            over.push((&laptop, others));
            None
        } else {
            Some(others)
        };
        for (session, streams) in over {
            let refused = timeout(PATIENCE, refused_everywhere(&world, session)).await;
            refused.unwrap_or_else(|_| panic!("{ending:?}: tasks are still told"));
            for mut stream in streams {
                revoked(&end(&mut stream).await);
            }
        }
        assert_eq!(world.clock.now(), began, "{ending:?}");
        for mut stream in stays.into_iter().flatten() {
            goes_on(&world, &laptop, &mut stream).await;
        }
    }
    world.stop().await;
}

/// Calls every replica of either service until it refuses.
async fn refused_everywhere(world: &World, session: &Credentials) {
    for n in 0..2 {
        let mut tasks = tasks(&world.task[n].address, &session.access_token);
        let mut account = account(world, n, session);
        let refusal = loop {
            if let Err(status) = tasks.list_tasks(ListTasksRequest::default()).await {
                break status;
            }
        };
        revoked(&refusal);
        // auth-service looks into its database.
        revoked(&account.get_user(GetUserRequest::default()).await.unwrap_err());
    }
}

/// Checks that a stream is told what its session writes.
async fn goes_on(world: &World, session: &Credentials, stream: &mut Streaming<WatchTasksResponse>) {
    let mut tasks = tasks(&world.task[0].address, &session.access_token);
    create(&mut tasks, "From the laptop").await.unwrap();
    while !matches!(next(stream).await.unwrap().event, Some(Event::Changes(_))) {}
}

/// Signed out on the laptop, the phone's open stream ends within two seconds and
/// its token is refused, long before it expires; the laptop goes on. Measured from
/// end to end, by the clock of the machine.
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
        assert!(round == 0 || began.elapsed() < AT_MOST, "{:?}", began.elapsed());
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
    let next = timeout(PATIENCE, stream.message()).await;
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
