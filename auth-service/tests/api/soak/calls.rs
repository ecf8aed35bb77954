//! What people ask the service for, each until somebody answers.

use proto::auth::v1::{
    CompleteSignInRequest, Credentials, GetUserRequest, RefreshSessionRequest, SignInRequest,
    SignInResponse, VerifyEmailRequest, account_service_client::AccountServiceClient,
    admin_service_client::AdminServiceClient, auth_service_client::AuthServiceClient,
    complete_sign_in_request::Code, verify_email_response::Outcome,
};
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};

use super::{fleet::Fleet, plan::Way};
use crate::harness::{Bearer, Told as _};

/// What was answered, and whether an answer was lost before.
pub(super) type Asked<T> = (Result<T, Status>, bool);

pub(super) async fn sign_in(
    fleet: &Fleet,
    way: Way,
    email: &str,
    password: &str,
) -> Result<SignInResponse, Status> {
    let asked = fleet.ask(way, |channel| {
        let (email, password) = (email.to_owned(), password.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        async move { AuthServiceClient::new(channel).sign_in(request).await }
    });
    asked.await.0
}

/// Ends a sign-in that asked for a second factor.
pub(super) async fn complete(
    fleet: &Fleet,
    way: Way,
    challenge: &str,
    code: &Code,
) -> Asked<Credentials> {
    let asked = fleet.ask(way, |channel| {
        let (challenge_token, code) = (challenge.to_owned(), Some(code.clone()));
        let request = CompleteSignInRequest { challenge_token, code, ..Default::default() };
        async move { AuthServiceClient::new(channel).complete_sign_in(request).await }
    });
    let (answer, again) = asked.await;
    (answer.map(|answer| answer.credentials.expect("credentials")), again)
}

pub(super) async fn refresh(fleet: &Fleet, way: Way, token: &str) -> Asked<Credentials> {
    let asked = fleet.ask(way, |channel| {
        let request = RefreshSessionRequest { refresh_token: token.to_owned() };
        async move { AuthServiceClient::new(channel).refresh_session(request).await }
    });
    let (answer, again) = asked.await;
    (answer.map(|answer| answer.credentials.expect("credentials")), again)
}

/// Reads the account with the access token.
pub(super) async fn reads(
    fleet: &Fleet,
    way: Way,
    credentials: &Credentials,
) -> Result<(), Status> {
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, &credentials.access_token);
        async move { account.get_user(GetUserRequest::default()).await }
    });
    asked.await.0.map(drop)
}

/// Follows the link of a mail.
pub(super) async fn verify(fleet: &Fleet, way: Way, token: &str) -> Asked<Outcome> {
    let asked = fleet.ask(way, |channel| {
        let request = VerifyEmailRequest { token: token.to_owned() };
        async move { AuthServiceClient::new(channel).verify_email(request).await }
    });
    let (answer, again) = asked.await;
    (answer.map(|answer| answer.outcome()), again)
}

/// The methods of the owner of an account.
pub(super) type Account = AccountServiceClient<InterceptedService<Channel, Bearer>>;

pub(super) fn account(channel: Channel, bearer: &str) -> Account {
    AccountServiceClient::with_interceptor(channel, Bearer(bearer.to_owned()))
}

/// The methods of operators.
pub(super) fn admin(
    channel: Channel,
    bearer: &str,
) -> AdminServiceClient<InterceptedService<Channel, Bearer>> {
    AdminServiceClient::with_interceptor(channel, Bearer(bearer.to_owned()))
}

pub(super) fn is(status: &Status, reason: &str) -> bool {
    status.reason() == reason
}
