//! Somebody with an account, who knows what was answered, and therefore what
//! must be true: which password is right, and who is signed in.
//!
//! A call whose answer is lost is made again. What it is answered then tells
//! whether the first one was done; there is no third possibility.

use proto::auth::v1::{
    ChangePasswordRequest, Credentials, GetUserRequest, RefreshSessionRequest,
    RequestPasswordResetRequest, ResetPasswordRequest, SignInRequest, SignOutRequest,
    SignUpRequest, VerifyEmailRequest, account_service_client::AccountServiceClient,
    auth_service_client::AuthServiceClient, verify_email_response::Outcome,
};
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};

use super::{
    fleet::{Fleet, unexpected},
    plan::{REPLICAS, Step, Way, What},
};
use crate::harness::{Bearer, Told as _};

pub(super) struct Person {
    pub(super) email: String,
    /// All that there were; the last one is right.
    passwords: Vec<String>,
    devices: Vec<Device>,
    /// Of sessions that have ended.
    ended: Vec<Credentials>,
}

/// Where the person is signed in.
struct Device {
    credentials: Credentials,
    /// An answer to a refresh was lost: that call may still be under way, and
    /// find its token two exchanges old if there were more.
    rests: bool,
}

impl Person {
    /// Somebody who has signed up.
    pub(super) async fn sign_up(fleet: &Fleet, name: &str, way: Way) -> Self {
        let (devices, ended) = (Vec::new(), Vec::new());
        let mut person = Self { email: email(name), passwords: Vec::new(), devices, ended };
        person.passwords.push(person.next_password());
        let request = SignUpRequest {
            email: person.email.clone(),
            password: person.password(),
            ..SignUpRequest::default()
        };
        let asked = fleet.ask(way, |channel| {
            let request = request.clone();
            async move { AuthServiceClient::new(channel).sign_up(request).await }
        });
        match asked.await {
            (Ok(answer), _) => person.signed_in(answer.credentials),
            (Err(status), true) if is(&status, "EMAIL_ALREADY_REGISTERED") => {}
            (Err(status), _) => unexpected("a sign-up", &status),
        }
        person
    }

    pub(super) async fn take(&mut self, fleet: &Fleet, step: Step) {
        let Step { what, device, way } = step;
        if self.devices.is_empty() && !matches!(what, What::Reset | What::Verify) {
            return self.sign_in(fleet, way).await;
        }
        let device = device % self.devices.len().max(1);
        match what {
            What::SignIn => self.sign_in(fleet, way).await,
            What::Refresh if self.devices[device].rests => self.sign_in(fleet, way).await,
            What::Refresh => self.refresh(fleet, device, way).await,
            What::ChangePassword => self.change_password(fleet, device, way).await,
            What::SignOut => self.sign_out(fleet, device, way).await,
            What::Reset => self.reset(fleet, way).await,
            What::Verify => self.verify(fleet, way).await,
        }
    }

    async fn sign_in(&mut self, fleet: &Fleet, way: Way) {
        let (email, password) = (self.email.clone(), self.password());
        match sign_in(fleet, way, &email, &password).await {
            Ok(credentials) => self.signed_in(Some(credentials)),
            Err(status) => unexpected("a sign-in", &status),
        }
    }

    async fn refresh(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let Device { credentials, rests } = &mut self.devices[device];
        let (answer, again) = refresh(fleet, way, &credentials.refresh_token).await;
        *credentials = answer.unwrap_or_else(|status| unexpected("a refresh", &status));
        *rests = again;
    }

    async fn change_password(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let request = ChangePasswordRequest {
            current_password: self.password(),
            new_password: self.next_password(),
            ..ChangePasswordRequest::default()
        };
        let bearer = self.devices[device].credentials.access_token.clone();
        let asked = fleet.ask(way, |channel| {
            let (mut account, request) = (account(channel, &bearer), request.clone());
            async move { account.change_password(request).await }
        });
        match asked.await {
            (Ok(_), _) => {}
            (Err(status), true) if is(&status, "INVALID_CREDENTIALS") => {}
            (Err(status), _) => unexpected("a change of the password", &status),
        }
        self.passwords.push(request.new_password);
        let stays = self.devices.swap_remove(device);
        self.all_ended();
        self.devices.push(stays);
    }

    async fn sign_out(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let credentials = self.devices.swap_remove(device).credentials;
        let asked = fleet.ask(way, |channel| {
            let request = SignOutRequest { refresh_token: credentials.refresh_token.clone() };
            async move { AuthServiceClient::new(channel).sign_out(request).await }
        });
        if let (Err(status), _) = asked.await {
            unexpected("a sign-out", &status);
        }
        self.ended.push(credentials);
    }

    async fn reset(&mut self, fleet: &Fleet, way: Way) {
        let asked = fleet.ask(way, |channel| {
            let request = RequestPasswordResetRequest { email: self.email.clone() };
            async move { AuthServiceClient::new(channel).request_password_reset(request).await }
        });
        if let (Err(status), _) = asked.await {
            unexpected("a request for a mail", &status);
        }
        let token = fleet.mailed(&self.email, "Set a new password").await;
        let request = ResetPasswordRequest { token, new_password: self.next_password() };
        let asked = fleet.ask(way, |channel| {
            let request = request.clone();
            async move { AuthServiceClient::new(channel).reset_password(request).await }
        });
        match asked.await {
            (Ok(_), _) => {}
            (Err(status), true) if is(&status, "MAIL_TOKEN_INVALID") => {}
            (Err(status), _) => unexpected("a reset", &status),
        }
        self.passwords.push(request.new_password);
        self.all_ended();
    }

    async fn verify(&self, fleet: &Fleet, way: Way) {
        let token = fleet.mailed(&self.email, "Please verify your address").await;
        let asked = fleet.ask(way, |channel| {
            let request = VerifyEmailRequest { token: token.clone() };
            async move { AuthServiceClient::new(channel).verify_email(request).await }
        });
        match asked.await {
            (Ok(answer), _) => assert_eq!(answer.outcome(), Outcome::Verified),
            (Err(status), true) if is(&status, "MAIL_TOKEN_INVALID") => {}
            (Err(status), _) => unexpected("a verification", &status),
        }
    }

    /// Asks both replicas, when nobody does anything any more: who is signed in
    /// still is, whoever was signed out is, and one password is right.
    pub(super) async fn assert_answered(&self, fleet: &Fleet) {
        for replica in 0..REPLICAS {
            let way = Way { replica, haste: None };
            for Device { credentials, .. } in &self.devices {
                reads(fleet, way, credentials).await.expect("a session that lives");
                let (answer, _) = refresh(fleet, way, &credentials.refresh_token).await;
                assert_eq!(answer.expect("it lives").session, credentials.session);
            }
            for credentials in &self.ended {
                let over = reads(fleet, way, credentials).await.expect_err("a session that ended");
                over.is(Code::Unauthenticated, "SESSION_REVOKED");
                let (answer, _) = refresh(fleet, way, &credentials.refresh_token).await;
                let over = answer.expect_err("a session that ended");
                over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
            }
            let (last, before) = self.passwords.split_last().expect("a password");
            sign_in(fleet, way, &self.email, last).await.expect("the password is right");
            if let Some(wrong) = before.last() {
                let wrong = sign_in(fleet, way, &self.email, wrong).await.expect_err("it was");
                wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
            }
        }
    }

    fn signed_in(&mut self, credentials: Option<Credentials>) {
        let credentials = credentials.expect("credentials");
        self.devices.push(Device { credentials, rests: false });
    }

    fn all_ended(&mut self) {
        self.ended.extend(self.devices.drain(..).map(|device| device.credentials));
    }

    fn password(&self) -> String {
        self.passwords.last().expect("a password").clone()
    }

    fn next_password(&self) -> String {
        format!("walnut-Trombone-{}", 91 + self.passwords.len())
    }
}

/// One guess of the password of somebody; true if it was looked at.
pub(super) async fn guess(fleet: &Fleet, way: Way, email: &str) -> bool {
    let wrong = sign_in(fleet, way, email, "walnut-Trombone-00").await.expect_err("it is wrong");
    let looked_at = is(&wrong, "INVALID_CREDENTIALS");
    assert!(looked_at || is(&wrong, "SIGN_IN_THROTTLED"), "{wrong:?}");
    looked_at
}

pub(super) fn email(name: &str) -> String {
    format!("{name}@example.org")
}

async fn sign_in(
    fleet: &Fleet,
    way: Way,
    email: &str,
    password: &str,
) -> Result<Credentials, Status> {
    let asked = fleet.ask(way, |channel| {
        let (email, password) = (email.to_owned(), password.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        async move { AuthServiceClient::new(channel).sign_in(request).await }
    });
    Ok(asked.await.0?.credentials.expect("credentials"))
}

async fn refresh(fleet: &Fleet, way: Way, token: &str) -> (Result<Credentials, Status>, bool) {
    let asked = fleet.ask(way, |channel| {
        let request = RefreshSessionRequest { refresh_token: token.to_owned() };
        async move { AuthServiceClient::new(channel).refresh_session(request).await }
    });
    let (answer, again) = asked.await;
    (answer.map(|answer| answer.credentials.expect("credentials")), again)
}

/// Reads the account with the access token.
async fn reads(fleet: &Fleet, way: Way, credentials: &Credentials) -> Result<(), Status> {
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, &credentials.access_token);
        async move { account.get_user(GetUserRequest::default()).await }
    });
    asked.await.0.map(drop)
}

fn account(
    channel: Channel,
    bearer: &str,
) -> AccountServiceClient<InterceptedService<Channel, Bearer>> {
    AccountServiceClient::with_interceptor(channel, Bearer(bearer.to_owned()))
}

fn is(status: &Status, reason: &str) -> bool {
    status.reason() == reason
}
