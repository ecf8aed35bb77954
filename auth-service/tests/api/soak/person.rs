//! Somebody with an account, who knows what was answered, and therefore what
//! must be true: which password is right, and who is signed in. What is done with
//! second factors, addresses, and the account as a whole has modules of its own.
//!
//! A call whose answer is lost is made again. What it is answered then tells
//! whether the first one was done; there is no third possibility.

use proto::auth::v1::{
    ChangePasswordRequest, Credentials, ExportUserRequest, RequestPasswordResetRequest,
    ResetPasswordRequest, SignInResponse, SignOutRequest, SignUpRequest,
    auth_service_client::AuthServiceClient, verify_email_response::Outcome,
};
use serde_json::Value;
use tonic::{Code, Response};

use super::{
    calls::{account, is, reads, refresh, sign_in, verify},
    deletion::Gone,
    factor::Factor,
    fleet::{Fleet, unexpected},
    plan::{REPLICAS, Step, Way, What},
};
use crate::harness::Told as _;

pub(super) struct Person {
    /// The account's, of which the addresses are made.
    pub(super) name: String,
    pub(super) email: String,
    /// The addresses that the account had before.
    pub(super) left: Vec<String>,
    /// Whether somebody has shown that the address is theirs.
    pub(super) verified: bool,
    /// All that there were; the last one is right.
    passwords: Vec<String>,
    pub(super) factor: Option<Factor>,
    /// How many codes have opened a session.
    pub(super) codes_taken: usize,
    pub(super) devices: Vec<Device>,
    /// Of sessions that have ended.
    pub(super) ended: Vec<Credentials>,
    /// The accounts that the person had before.
    pub(super) gone: Vec<Gone>,
}

/// Where the person is signed in.
pub(super) struct Device {
    pub(super) credentials: Credentials,
    /// An answer to a refresh was lost: that call may still be under way, and
    /// find its token two exchanges old if there were more.
    pub(super) rests: bool,
}

impl Person {
    /// Somebody who has signed up.
    pub(super) async fn sign_up(fleet: &Fleet, name: &str, way: Way) -> Self {
        let mut person = Self {
            name: name.to_owned(),
            email: email(name),
            left: Vec::new(),
            verified: false,
            passwords: Vec::new(),
            factor: None,
            codes_taken: 0,
            devices: Vec::new(),
            ended: Vec::new(),
            gone: Vec::new(),
        };
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
            // Nothing is left to verify by what was mailed to another address.
            What::Verify if !self.left.is_empty() => self.sign_in(fleet, way).await,
            What::Verify => self.verify(fleet, way).await,
            What::ChangeEmail => self.change_email(fleet, device, way).await,
            What::UseFactor if self.factor.is_none() => self.add_factor(fleet, device, way).await,
            What::UseFactor => self.use_code_twice(fleet, way).await,
            What::UsePasskey if self.factor.is_none() => self.add_factor(fleet, device, way).await,
            What::UsePasskey => self.use_passkey(fleet, device, way).await,
            What::Export => self.export(fleet, device, way).await,
            What::RemoveFactor => self.remove_factor(fleet, device, way).await,
            What::Suspend => self.be_suspended(fleet, device, way).await,
            What::Delete(beside) => self.delete(fleet, device, beside, way).await,
        }
    }

    pub(super) async fn sign_in(&mut self, fleet: &Fleet, way: Way) {
        let (email, password) = (self.email.clone(), self.password());
        match sign_in(fleet, way, &email, &password).await {
            Ok(answer) => self.go_on(fleet, way, answer).await,
            Err(status) => unexpected("a sign-in", &status),
        }
    }

    /// Goes on from where the password was right.
    async fn go_on(&mut self, fleet: &Fleet, way: Way, answer: SignInResponse) {
        match (self.challenge(answer), &mut self.factor) {
            (Ok(credentials), _) => self.signed_in(Some(credentials)),
            (Err(challenge), Some(factor)) => {
                if let Some(code) = factor.next_code() {
                    let taken = factor.take(fleet, way, &challenge, &code).await;
                    self.took(taken);
                }
            }
            (Err(_), None) => unreachable!("nobody is asked for what they do not have"),
        }
    }

    /// What the password alone is good for: credentials where there is no second
    /// factor, and where there is one, nothing but a challenge.
    pub(super) fn challenge(&self, answer: SignInResponse) -> Result<Credentials, String> {
        match (answer.credentials, answer.challenge, &self.factor) {
            (Some(credentials), None, None) => Ok(credentials),
            (None, Some(challenge), Some(_)) => Err(challenge.token),
            (credentials, challenge, factor) => panic!(
                "{}: {}, {}, {}",
                self.email,
                credentials.map_or("no credentials", |_| "credentials"),
                challenge.map_or("no challenge", |_| "a challenge"),
                factor.as_ref().map_or("no factor", |_| "a factor"),
            ),
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
        self.others_ended(device);
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
        let token = fleet.mailed(&self.email, "Set a new password").await.token();
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
        if !self.verified {
            // Whoever added it had not shown that the address is theirs.
            self.factor = None;
        }
        self.verified = true;
        self.passwords.push(request.new_password);
        self.all_ended();
    }

    async fn verify(&mut self, fleet: &Fleet, way: Way) {
        let mail = fleet.mailed(&self.email, "Please verify your address").await;
        match verify(fleet, way, &mail.token()).await {
            (Ok(outcome), _) => assert_eq!(outcome, Outcome::Verified),
            (Err(status), true) if is(&status, "MAIL_TOKEN_INVALID") => {}
            (Err(status), _) => unexpected("a verification", &status),
        }
        self.verified = true;
    }

    async fn export(&self, fleet: &Fleet, device: usize, way: Way) {
        let bearer = &self.devices[device].credentials.access_token;
        let asked = fleet.ask(way, |channel| {
            let mut account = account(channel, bearer);
            async move {
                let mut told =
                    account.export_user(ExportUserRequest::default()).await?.into_inner();
                let mut file = Vec::new();
                while let Some(piece) = told.message().await? {
                    file.extend(piece.data);
                }
                Ok(Response::new(file))
            }
        });
        let file = asked.await.0.unwrap_or_else(|status| unexpected("an export", &status));
        let file: Value = serde_json::from_slice(&file).expect("all of it has come");
        assert_eq!(file["account"]["email"], *self.email);
    }

    /// Asks both replicas, when nobody does anything any more: who is signed in
    /// still is, whoever was signed out is, one password is right, and one address.
    pub(super) async fn assert_answered(&mut self, fleet: &Fleet) {
        for replica in 0..REPLICAS {
            let way = Way::patient(replica);
            for Device { credentials, .. } in &self.devices {
                reads(fleet, way, credentials).await.expect("a session that lives");
                let (answer, _) = refresh(fleet, way, &credentials.refresh_token).await;
                assert_eq!(answer.expect("it lives").session, credentials.session);
            }
            assert_over(fleet, way, &self.ended).await;
            let (last, before) = self.passwords.split_last().expect("a password");
            let answer = sign_in(fleet, way, &self.email, last).await;
            let answer = self.challenge(answer.expect("the password is right"));
            let wrong = before.last().map(|wrong| (&self.email, wrong));
            for (email, password) in self.left.iter().map(|left| (left, last)).chain(wrong) {
                let wrong = sign_in(fleet, way, email, password).await.expect_err("it was");
                wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
            }
            if let (Err(challenge), Some(factor)) = (answer, &self.factor) {
                factor.assert_spent(fleet, way, &challenge).await;
            }
        }
        self.assert_codes_taken(fleet).await;
    }

    /// The resource name of the account.
    pub(super) fn user(&self) -> String {
        let session = &self.devices.first().expect("somebody who is signed in").credentials.session;
        session.split_once("/sessions/").expect("a session's name").0.to_owned()
    }

    pub(super) fn signed_in(&mut self, credentials: Option<Credentials>) {
        let credentials = credentials.expect("credentials");
        self.devices.push(Device { credentials, rests: false });
    }

    pub(super) fn all_ended(&mut self) {
        self.ended.extend(self.devices.drain(..).map(|device| device.credentials));
    }

    /// Every session has ended but this one.
    pub(super) fn others_ended(&mut self, device: usize) {
        let stays = self.devices.swap_remove(device);
        self.all_ended();
        self.devices.push(stays);
    }

    pub(super) fn password(&self) -> String {
        self.passwords.last().expect("a password").clone()
    }

    fn next_password(&self) -> String {
        format!("walnut-Trombone-{}", 91 + self.passwords.len())
    }
}

/// Nothing can be done with these any more.
pub(super) async fn assert_over(fleet: &Fleet, way: Way, ended: &[Credentials]) {
    for credentials in ended {
        let over = reads(fleet, way, credentials).await.expect_err("a session that ended");
        over.is(Code::Unauthenticated, "SESSION_REVOKED");
        let (answer, _) = refresh(fleet, way, &credentials.refresh_token).await;
        let over = answer.expect_err("a session that ended");
        over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
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
