//! The session of the user who is signed in: calls on their behalf, and the
//! access token that is renewed when it has to be.
//!
//! Invariant: a refresh token is used under the lock of the credentials file,
//! after reading it again, so that processes side by side do not end each
//! other's session.

use std::time::Duration;

use chrono::TimeDelta;
use proto::auth::v1::{
    ReauthenticateRequest, ReauthenticateResponse, RefreshSessionRequest,
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    reauthenticate_request,
};
use shared::{
    clock::{Clock as _, SystemClock},
    rng,
    secret::Secret,
};
use tonic::{
    Code, Request, Response, Status, Streaming,
    transport::{Channel, Uri},
};

use super::{
    connection::Connection,
    credentials::{Credentials, Store},
    failure::Failure,
};
use crate::cli::Options;

const DEFAULT_AUTH_URL: &str = "http://127.0.0.1:50051";
const DEFAULT_TASK_URL: &str = "http://127.0.0.1:50052";

/// A token that ends so soon is renewed before it is used.
const MARGIN: TimeDelta = TimeDelta::seconds(10);

/// The session of the user who is signed in.
#[derive(Debug)]
pub(crate) struct Session {
    store: Store,
    credentials: Credentials,
    auth: Connection,
    tasks: Connection,
    renewed: bool,
}

impl Session {
    /// The session that was opened by `sign-in` or `sign-up`.
    pub(crate) fn open(options: &Options) -> Result<Self, Failure> {
        let store = Store::at(options.credentials.as_deref())?;
        let credentials = store.read()?.ok_or_else(|| {
            let message = "You are not signed in. Do so with `duet sign-in EMAIL`, or make an \
                           account with `duet sign-up EMAIL`.";
            Failure::new(Code::Unauthenticated, message)
        })?;
        // Tokens of one service are nobody else's business.
        if let Some(wanted) = options.auth_url.as_ref().filter(|uri| **uri != credentials.auth_url)
        {
            let Credentials { email, auth_url, .. } = &credentials;
            let message = format!(
                "You are signed in at {auth_url}, not at {wanted}. Sign in there with \
                 `duet sign-in {email} --auth-url {wanted}`."
            );
            return Err(Failure::new(Code::Unauthenticated, message));
        }
        let task_url = options.task_url.clone().unwrap_or_else(|| credentials.task_url.clone());
        Ok(Self {
            auth: Connection::new(credentials.auth_url.clone())?,
            tasks: Connection::new(task_url)?,
            store,
            credentials,
            renewed: false,
        })
    }

    /// Calls auth-service on behalf of the user. The call is repeated if the
    /// service is not available, so it must do no harm twice.
    pub(crate) async fn auth<Q: Clone, A>(
        &mut self,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        let connection = self.auth.clone();
        self.call(&connection, request, method).await
    }

    /// As `auth`, for a call that would do harm twice: it is made once, and again
    /// only with another token, if the first was refused.
    pub(crate) async fn auth_once<Q: Clone, A>(
        &mut self,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        self.renew().await?;
        let connection = self.auth.clone();
        let token = self.credentials.access_token.clone();
        match connection.call(request.clone(), Some(&token), &method).await {
            Err(failure) if failure.is_token_refused() => {
                self.refresh().await?;
                let token = self.credentials.access_token.clone();
                connection.call(request, Some(&token), &method).await
            }
            result => result,
        }
    }

    /// The e-mail address of who is signed in.
    pub(crate) fn email(&self) -> &str {
        &self.credentials.email
    }

    /// Calls task-service on behalf of the user. A write carries a
    /// `request_id`, for the call is repeated if the service is not available.
    pub(crate) async fn tasks<Q: Clone, A>(
        &mut self,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        let connection = self.tasks.clone();
        self.call(&connection, request, method).await
    }

    /// Opens a stream of task-service on behalf of the user. The stream ends
    /// with the access token.
    pub(crate) async fn stream<Q: Clone, A>(
        &mut self,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<Streaming<A>>, Status>,
    ) -> Result<Streaming<A>, Failure> {
        let connection = self.tasks.clone();
        self.open_stream(&connection, request, method).await
    }

    async fn open_stream<Q: Clone, A>(
        &mut self,
        connection: &Connection,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<Streaming<A>>, Status>,
    ) -> Result<Streaming<A>, Failure> {
        self.renew().await?;
        let token = self.credentials.access_token.clone();
        match connection.open(request.clone(), &token, &method).await {
            Err(failure) if failure.is_token_refused() => {
                self.refresh().await?;
                let token = self.credentials.access_token.clone();
                connection.open(request, &token, &method).await
            }
            result => result,
        }
    }

    /// The next message of such a stream; one that is silent for longer than
    /// `patience` is over.
    pub(crate) async fn next<A>(
        &self,
        stream: &mut Streaming<A>,
        patience: Duration,
    ) -> Result<Option<A>, Failure> {
        self.tasks.next(stream, patience).await
    }

    /// The same of a stream of auth-service.
    pub(crate) async fn auth_next<A>(
        &self,
        stream: &mut Streaming<A>,
        patience: Duration,
    ) -> Result<Option<A>, Failure> {
        self.auth.next(stream, patience).await
    }

    /// Opens a stream of auth-service on behalf of the user.
    pub(crate) async fn auth_stream<Q: Clone, A>(
        &mut self,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<Streaming<A>>, Status>,
    ) -> Result<Streaming<A>, Failure> {
        let connection = self.auth.clone();
        self.open_stream(&connection, request, method).await
    }

    /// Proves again who the user is. The access token that says so is kept, so
    /// that what follows needs no other proof for a while. A code is good once,
    /// and so is the call.
    pub(crate) async fn prove(
        &mut self,
        password: &Secret,
        code: Option<reauthenticate_request::Code>,
    ) -> Result<(), Failure> {
        let password = password.expose().to_owned();
        let request = ReauthenticateRequest { name: String::new(), password, code };
        let answer = self
            .auth_once(request, async |channel, request| {
                AccountServiceClient::new(channel).reauthenticate(request).await
            })
            .await?;
        let ReauthenticateResponse { access_token, access_token_expire_time } = answer;
        self.credentials.renew_access(access_token, access_token_expire_time.as_ref());
        // It is new, whatever our clock says.
        self.renewed = true;
        let lock = self.store.lock().await?;
        match self.store.read()? {
            Some(mut stored) if stored.session == self.credentials.session => {
                // Another process may have renewed the refresh token meanwhile.
                stored.access_token = self.credentials.access_token.clone();
                stored.access_token_expire_time = self.credentials.access_token_expire_time;
                self.store.write(&stored, &lock)
            }
            _ => Ok(()),
        }
    }

    /// Keeps what makes this device known to auth-service from now on.
    pub(crate) async fn know_device(&self, pass: Secret) -> Result<(), Failure> {
        let lock = self.store.lock().await?;
        self.store.passes().keep(&self.credentials, pass, &lock)
    }

    /// Forgets the account, which is no more: the session, and that this device
    /// was known.
    pub(crate) async fn forget(self) -> Result<(), Failure> {
        let lock = self.store.lock().await?;
        let stored = self.store.read()?;
        if stored.is_some_and(|stored| stored.session == self.credentials.session) {
            self.store.remove(&lock)?;
        }
        self.store.passes().forget(&self.credentials, &lock)
    }

    async fn call<Q: Clone, A>(
        &mut self,
        connection: &Connection,
        request: Q,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        self.renew().await?;
        let token = self.credentials.access_token.clone();
        match connection.call_again(&request, Some(&token), &method).await {
            Err(failure) if failure.is_token_refused() => {
                self.refresh().await?;
                let token = self.credentials.access_token.clone();
                connection.call_again(&request, Some(&token), &method).await
            }
            result => result,
        }
    }

    /// Gets a new access token if the present one is about to end.
    async fn renew(&mut self) -> Result<(), Failure> {
        let ends = self.credentials.access_token_expire_time;
        // If our clock is wrong, a new token looks old too: once is enough.
        if self.renewed || ends - MARGIN > SystemClock.now() {
            return Ok(());
        }
        self.refresh().await
    }

    /// Gets a new access token, from the file if another process was faster.
    pub(crate) async fn refresh(&mut self) -> Result<(), Failure> {
        let lock = self.store.lock().await?;
        let mut stored = self.store.read()?.ok_or_else(|| self.ended())?;
        if stored.session != self.credentials.session {
            let message = "Somebody signed in anew meanwhile. Please repeat the command.";
            return Err(Failure::new(Code::Aborted, message));
        }
        if stored.access_token == self.credentials.access_token {
            let request =
                RefreshSessionRequest { refresh_token: stored.refresh_token.expose().to_owned() };
            let answer = self
                .auth
                .call_again(&request, None, &async |channel, request| {
                    AuthServiceClient::new(channel).refresh_session(request).await
                })
                .await
                .map_err(|failure| match failure.code() {
                    Some(Code::Unauthenticated) => self.ended(),
                    _ => failure,
                })?;
            stored.renew(answer.credentials.unwrap_or_default());
            self.store.write(&stored, &lock)?;
        }
        self.credentials = stored;
        self.renewed = true;
        Ok(())
    }

    fn ended(&self) -> Failure {
        let command = format!("duet sign-in {}{}", self.credentials.email, self.auth_flag());
        let message = format!("Your session has ended; sign in again with `{command}`.");
        Failure::new(Code::Unauthenticated, message)
    }

    /// What a command for someone who is not signed in needs to reach the same
    /// auth-service.
    pub(crate) fn auth_flag(&self) -> String {
        let auth_url = &self.credentials.auth_url;
        if auth_url.to_string().trim_end_matches('/') == DEFAULT_AUTH_URL {
            return String::new();
        }
        format!(" --auth-url {auth_url}")
    }
}

/// A fresh id for a write (AIP-155).
pub(crate) fn request_id() -> String {
    rng::uuid_v4().to_string()
}

/// The address of auth-service for someone who is not signed in: where a
/// password goes is never taken from an earlier session.
pub(crate) fn auth_url(options: &Options) -> Uri {
    options.auth_url.clone().unwrap_or_else(|| Uri::from_static(DEFAULT_AUTH_URL))
}

/// The address of task-service for someone who is not signed in.
pub(crate) fn task_url(options: &Options) -> Uri {
    options.task_url.clone().unwrap_or_else(|| Uri::from_static(DEFAULT_TASK_URL))
}
