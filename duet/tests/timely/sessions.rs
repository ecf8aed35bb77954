//! Whose session ended, whatever ended it: what is open ends, and nothing is
//! answered any more, within two seconds and by every replica.

use futures_util::future::{join_all, join3};
use proto::{
    auth::v1::{
        ChangePasswordRequest, Credentials, DeleteUserRequest, GetUserRequest,
        RevokeOtherSessionsRequest, RevokeSessionRequest, SignOutRequest, SuspendUserRequest,
        account_service_client::AccountServiceClient,
    },
    task::v1::{
        ListTasksRequest, WatchTasksResponse, change::Resource, watch_tasks_response::Event,
    },
};
use shared::clock::Clock as _;
use tokio::time::timeout;
use tonic::{Streaming, service::interceptor::InterceptedService, transport::Channel};

use crate::{
    AT_MOST, alone, end,
    harness::{Bearer, PASSWORD, Tasks, channel, create, sign_in, sign_up, tasks},
    is, next, until_refused, watching,
    world::World,
};

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

/// A session that a replica of each service has accepted, with what it watches.
struct Used {
    tasks: Tasks,
    stream: Streaming<WatchTasksResponse>,
    account: Account,
}

impl Used {
    /// At every replica.
    async fn everywhere(world: &World, session: &Credentials) -> Vec<Self> {
        let mut used = Vec::new();
        for n in 0..2 {
            let mut tasks = tasks(&world.task[n].address, &session.access_token);
            create(&mut tasks, "Before").await.unwrap();
            let stream = watching(&mut tasks).await;
            let mut account = account(world, n, session);
            account.get_user(GetUserRequest::default()).await.unwrap();
            used.push(Self { tasks, stream, account });
        }
        used
    }

    /// Calls and reads until all of it is refused.
    async fn is_over(&mut self) {
        let tasks = &mut self.tasks;
        let listed = async {
            until_refused(async || tasks.list_tasks(ListTasksRequest::default()).await).await
        };
        // auth-service looks into its database.
        let account = self.account.get_user(GetUserRequest::default());
        let (ended, listed, account) = join3(end(&mut self.stream), listed, account).await;
        for status in [ended, listed, account.unwrap_err()] {
            is(&status, "SESSION_REVOKED");
        }
    }

    /// Checks that the stream is told what its session writes.
    async fn goes_on(&mut self) {
        let made = create(&mut self.tasks, "After").await.unwrap();
        loop {
            let Some(Event::Changes(told)) = next(&mut self.stream).await.unwrap().event else {
                continue;
            };
            let tasks = told.changes.into_iter().filter_map(|change| change.resource);
            let name = |it| matches!(it, Resource::Task(task) if task.name == made.name);
            if tasks.into_iter().any(name) {
                break;
            }
        }
        self.account.get_user(GetUserRequest::default()).await.unwrap();
    }
}

/// Whatever ends a session, within two seconds of the answer every replica of either
/// service refuses its calls, and its open streams have ended; a session that it
/// leaves alone goes on.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_session_ends_it_everywhere_within_two_seconds() {
    let (_alone, world) = alone().await;
    for ending in ENDINGS {
        let email = format!("{ending:?}@example.org").to_lowercase();
        let mut auth = world.auth_client(0);
        let laptop = sign_up(&mut auth, &email).await;
        let phone = sign_in(&mut auth, &email, PASSWORD).await.unwrap();
        let mut over = Used::everywhere(&world, &phone).await;
        let mut stays = Used::everywhere(&world, &laptop).await;
        if ending.ends_all() {
            over.append(&mut stays);
        }

        let began = world.clock.now();
        ending.happen(&world, &email, &laptop, &phone).await;
        let all_over = join_all(over.iter_mut().map(Used::is_over));
        let in_time = timeout(AT_MOST, all_over).await;
        in_time.unwrap_or_else(|_| panic!("{ending:?}: it is not over in time"));
        assert_eq!(world.clock.now(), began, "{ending:?}");
        for used in &mut stays {
            used.goes_on().await;
        }
    }
    world.stop().await;
}
