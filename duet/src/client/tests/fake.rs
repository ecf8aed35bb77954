//! Services that do as they are told: they hold a few tasks and lists in memory,
//! remember what they were asked, and fail when a test wants them to.

use std::{
    any::Any,
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use futures_util::{Stream, StreamExt as _, stream};
use proto::{
    auth::v1::{
        self as auth, auth_service_server as auth_server, get_deletion_receipt_response::Erasure,
    },
    task::v1::{self as pb},
};
use shared::{
    clock::{Clock as _, SystemClock},
    error::{Failure, Reason},
};
use tonic::{Request, Response, Status};

use super::{owner::Account, store::Store};

/// What the services shall do, and what was asked of them.
#[derive(Default)]
pub(super) struct Script {
    /// The access token that task-service takes.
    pub(super) good: String,
    /// Why refreshes are refused, if they are.
    pub(super) refusal: Option<Reason>,
    /// How many calls to task-service shall find it unavailable.
    pub(super) unavailable: usize,
    /// How many calls after those shall not be answered in time.
    pub(super) late: usize,
    /// The refresh tokens that were used.
    pub(super) refreshed: Vec<String>,
    /// What is told to those who watch, a list for each stream.
    pub(super) streams: VecDeque<Vec<Step>>,
    /// What task-service holds.
    pub(super) store: Store,
    /// What auth-service holds.
    pub(super) account: Account,
    requests: Vec<Box<dyn Any + Send>>,
}

impl Script {
    /// Every request of a kind, in their order.
    pub(super) fn all<T: Clone + 'static>(&self) -> Vec<T> {
        self.requests.iter().filter_map(|request| request.downcast_ref::<T>()).cloned().collect()
    }
}

/// A step of a stream.
pub(super) enum Step {
    /// Tell something.
    Tell(pb::WatchTasksResponse),
    /// Fail. Without it a stream ends well after its last step.
    Fail(Reason),
    /// Take another access token from now on, and this one no longer.
    Expire(&'static str),
    /// The same, because the key of this one was withdrawn.
    Withdraw(&'static str),
    /// Say no more, and stay.
    Stay,
}

/// The services. Clones share everything.
#[derive(Clone, Default)]
pub(super) struct Services(pub(super) Arc<Mutex<Script>>);

impl Services {
    pub(super) fn check<T: Clone + Send + 'static>(
        &self,
        request: &Request<T>,
    ) -> Result<(), Status> {
        self.note(request);
        let mut script = self.0.lock().unwrap();
        if script.unavailable > 0 {
            script.unavailable -= 1;
            return Err(status(Reason::DatabaseUnavailable));
        }
        if script.late > 0 {
            script.late -= 1;
            return Err(status(Reason::DeadlineExceeded));
        }
        let expected = format!("Bearer {}", script.good);
        if request.metadata().get("authorization").unwrap().to_str().unwrap() == expected {
            return Ok(());
        }
        Err(status(Reason::TokenExpired))
    }

    fn note<T: Clone + Send + 'static>(&self, request: &Request<T>) {
        self.0.lock().unwrap().requests.push(Box::new(request.get_ref().clone()));
    }
}

pub(super) fn status(reason: Reason) -> Status {
    Failure::new(reason, "Not now.").into_status("duet.task")
}

/// Methods that nobody asks for here.
macro_rules! unasked {
    ($($method:ident $request:ident $response:ident)*) => {$(
        fn $method<'life, 'call>(
            &'life self,
            _: Request<proto::auth::v1::$request>,
        ) -> Answer<'call, proto::auth::v1::$response>
        where
            'life: 'call,
            Self: 'call,
        {
            Box::pin(async { not_asked() })
        }
    )*};
}
pub(super) use unasked;

#[tonic::async_trait]
impl auth_server::AuthService for Services {
    async fn refresh_session(
        &self,
        request: Request<auth::RefreshSessionRequest>,
    ) -> Result<Response<auth::RefreshSessionResponse>, Status> {
        let mut script = self.0.lock().unwrap();
        script.refreshed.push(request.into_inner().refresh_token);
        if let Some(reason) = script.refusal {
            return Err(Failure::new(reason, "No.").into_status("duet.auth"));
        }
        let credentials = auth::Credentials {
            access_token: script.good.clone(),
            access_token_expire_time: Some(prost_types::Timestamp {
                seconds: (SystemClock.now() + TimeDelta::minutes(5)).timestamp(),
                nanos: 0,
            }),
            refresh_token: format!("refresh-{}", script.refreshed.len()),
            session: "users/u/sessions/s".to_owned(),
            ..auth::Credentials::default()
        };
        let credentials = Some(credentials);
        Ok(Response::new(auth::RefreshSessionResponse { credentials }))
    }

    async fn sign_up(
        &self,
        _: Request<auth::SignUpRequest>,
    ) -> Result<Response<auth::SignUpResponse>, Status> {
        // As where nobody is told who has an account.
        Ok(Response::new(auth::SignUpResponse::default()))
    }

    async fn sign_in(
        &self,
        request: Request<auth::SignInRequest>,
    ) -> Result<Response<auth::SignInResponse>, Status> {
        self.note(&request);
        self.0.lock().unwrap().account.sign_in(request.get_ref()).map(Response::new).map_err(status)
    }

    async fn complete_sign_in(
        &self,
        request: Request<auth::CompleteSignInRequest>,
    ) -> Result<Response<auth::CompleteSignInResponse>, Status> {
        self.note(&request);
        let account = &mut self.0.lock().unwrap().account;
        account.complete_sign_in(request.into_inner()).map(Response::new).map_err(status)
    }

    async fn sign_out(
        &self,
        request: Request<auth::SignOutRequest>,
    ) -> Result<Response<auth::SignOutResponse>, Status> {
        self.note(&request);
        Ok(Response::new(auth::SignOutResponse {}))
    }

    unasked! {
        request_password_reset RequestPasswordResetRequest RequestPasswordResetResponse
        reset_password ResetPasswordRequest ResetPasswordResponse
        verify_email VerifyEmailRequest VerifyEmailResponse
    }

    async fn get_deletion_receipt(
        &self,
        _: Request<auth::GetDeletionReceiptRequest>,
    ) -> Result<Response<auth::GetDeletionReceiptResponse>, Status> {
        let erasure = |service: &str, erased: Option<i64>, closed: Option<i64>| Erasure {
            service: service.to_owned(),
            erase_time: erased.map(at),
            close_time: closed.map(at),
        };
        let erasures = vec![
            erasure("notes", None, Some(1_800_000_200)),
            erasure("photos", None, None),
            erasure("task-service", Some(1_800_000_100), None),
        ];
        let delete_time = Some(at(1_800_000_000));
        let receipt = String::new();
        Ok(Response::new(auth::GetDeletionReceiptResponse { delete_time, erasures, receipt }))
    }
}

fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

pub(super) fn not_asked<T>() -> Result<T, Status> {
    Err(Status::unimplemented("Nobody should ask."))
}

/// What a method returns, written out so that a macro can write it.
pub(super) type Answer<'a, T> =
    Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send + 'a>>;

/// Methods that the store answers.
macro_rules! methods {
    ($($method:ident $request:ident $response:ident)*) => {$(
        fn $method<'life, 'call>(
            &'life self,
            request: Request<pb::$request>,
        ) -> Answer<'call, pb::$response>
        where
            'life: 'call,
            Self: 'call,
        {
            Box::pin(async move {
                self.check(&request)?;
                let store = &mut self.0.lock().unwrap().store;
                store.$method(request.into_inner()).map(Response::new).map_err(status)
            })
        }
    )*};
}

pub(super) type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl pb::task_service_server::TaskService for Services {
    methods! {
        create_task CreateTaskRequest CreateTaskResponse
        get_task GetTaskRequest GetTaskResponse
        list_tasks ListTasksRequest ListTasksResponse
        update_task UpdateTaskRequest UpdateTaskResponse
        delete_task DeleteTaskRequest DeleteTaskResponse
        undelete_task UndeleteTaskRequest UndeleteTaskResponse
        complete_task CompleteTaskRequest CompleteTaskResponse
        reopen_task ReopenTaskRequest ReopenTaskResponse
        move_task MoveTaskRequest MoveTaskResponse
        get_usage GetUsageRequest GetUsageResponse
    }

    async fn batch_mutate_tasks(
        &self,
        request: Request<pb::BatchMutateTasksRequest>,
    ) -> Result<Response<pb::BatchMutateTasksResponse>, Status> {
        self.check(&request)?;
        let store = &mut self.0.lock().unwrap().store;
        store.batch_mutate_tasks(request.into_inner()).map(Response::new).map_err(|(op, reason)| {
            let failure = Failure::new(reason, "Not now.").metadata("op_index", op.to_string());
            failure.into_status("duet.task")
        })
    }

    type WatchTasksStream = Messages<pb::WatchTasksResponse>;

    async fn sync_tasks(
        &self,
        _: Request<pb::SyncTasksRequest>,
    ) -> Result<Response<pb::SyncTasksResponse>, Status> {
        not_asked()
    }

    async fn watch_tasks(
        &self,
        request: Request<pb::WatchTasksRequest>,
    ) -> Result<Response<Self::WatchTasksStream>, Status> {
        self.check(&request)?;
        let steps = self.0.lock().unwrap().streams.pop_front().expect("a stream");
        let script = Arc::clone(&self.0);
        let told = stream::iter(steps).then(move |step| {
            if let Step::Expire(good) | Step::Withdraw(good) = &step {
                script.lock().unwrap().good = (*good).to_owned();
            }
            async move {
                match step {
                    Step::Tell(message) => Ok(message),
                    Step::Fail(reason) => Err(status(reason)),
                    Step::Expire(_) => Err(status(Reason::TokenExpired)),
                    Step::Withdraw(_) => Err(status(Reason::SessionRevoked)),
                    Step::Stay => std::future::pending().await,
                }
            }
        });
        Ok(Response::new(Box::pin(told)))
    }
}

#[tonic::async_trait]
impl pb::list_service_server::ListService for Services {
    methods! {
        create_list CreateListRequest CreateListResponse
        list_lists ListListsRequest ListListsResponse
        update_list UpdateListRequest UpdateListResponse
        delete_list DeleteListRequest DeleteListResponse
    }

    async fn get_list(
        &self,
        _: Request<pb::GetListRequest>,
    ) -> Result<Response<pb::GetListResponse>, Status> {
        not_asked()
    }
}

#[tonic::async_trait]
impl pb::transfer_service_server::TransferService for Services {
    methods! {
        import_tasks ImportTasksRequest ImportTasksResponse
    }

    type ExportTasksStream = Messages<pb::ExportTasksResponse>;

    async fn export_tasks(
        &self,
        request: Request<pb::ExportTasksRequest>,
    ) -> Result<Response<Self::ExportTasksStream>, Status> {
        self.check(&request)?;
        let pieces = self.0.lock().unwrap().store.file.clone();
        let told = pieces.into_iter().map(|data| match data {
            Some(data) => Ok(pb::ExportTasksResponse { data }),
            None => Err(status(Reason::DatabaseUnavailable)),
        });
        Ok(Response::new(Box::pin(stream::iter(told))))
    }
}
