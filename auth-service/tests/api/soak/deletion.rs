//! An account is deleted, while something else is asked for with it: afterwards it
//! is gone for everybody, and whoever had it comes to have the receipt.

use proto::auth::v1::{
    BeginTotpEnrollmentRequest, ChangePasswordRequest, Credentials, DeleteUserRequest,
    GetDeletionReceiptRequest, GetDeletionReceiptResponse, ReauthenticateRequest,
    RequestEmailChangeRequest, RequestEmailVerificationRequest, RequestPasswordResetRequest,
    auth_service_client::AuthServiceClient,
};
use shared::rng;
use tonic::{Code, Response, Status, transport::Channel};

use super::{
    calls::{Account, account, is, sign_in},
    fleet::{Fleet, unexpected},
    person::{Person, assert_over, email as email_of},
    plan::{Beside, REPLICAS, Way},
};
use crate::{deletion::checked_at, harness::Told as _};

/// An account that was deleted, as its owner remembers it.
pub(super) struct Gone {
    user: String,
    /// All that it had, and the one that it never came to have.
    pub(super) emails: Vec<String>,
    password: String,
    credentials: Vec<Credentials>,
    /// None if the answer was lost that brought it.
    receipt: Option<String>,
}

/// What those are told who come too late, or who may not.
const LATE: [&str; 4] = [
    "SESSION_REVOKED",
    "INVALID_CREDENTIALS",
    "RATE_LIMITED",
    // A code is missing, or the address is the account's own.
    "FIELD_INVALID",
];

impl Person {
    /// Deletes the account, and makes another one.
    pub(super) async fn delete(&mut self, fleet: &Fleet, device: usize, beside: Beside, way: Way) {
        let (user, password) = (self.user(), self.password());
        let bearer = self.devices[device].credentials.access_token.clone();
        let wish = DeleteUserRequest {
            email: self.email.clone(),
            request_id: rng::uuid_v4().to_string(),
            ..DeleteUserRequest::default()
        };
        let deletion = fleet.ask(way, |channel| {
            let (mut account, wish) = (account(channel, &bearer), wish.clone());
            async move { account.delete_user(wish).await }
        });
        let beside = self.ask_beside(fleet, &bearer, beside, way.other());
        let (deleted, opened) = tokio::join!(deletion, beside);
        let receipt = match deleted {
            (Ok(answer), _) => Some(answer.receipt_token),
            (Err(status), true) if is(&status, "SESSION_REVOKED") => None,
            (Err(status), _) => unexpected("a deletion", &status),
        };
        self.all_ended();
        let name = format!("{}.again", self.name);
        let next = Self::sign_up(fleet, &name, way).await;
        let Self { name, mut gone, mut left, email, ended, .. } = std::mem::replace(self, next);
        left.extend([never(&name), email]);
        let credentials = ended.into_iter().chain(opened).collect();
        gone.push(Gone { user, emails: left, password, credentials, receipt });
        self.gone = gone;
    }

    /// Asks for something that the deletion overtakes, or not: it is done or refused.
    /// Tells the credentials that it brought.
    async fn ask_beside(
        &self,
        fleet: &Fleet,
        bearer: &str,
        beside: Beside,
        way: Way,
    ) -> Option<Credentials> {
        let (email, password, new_email) = (&self.email, self.password(), never(&self.name));
        let answer = if let Beside::SignIn = beside {
            match sign_in(fleet, way, email, &password).await {
                Ok(answer) => return self.challenge(answer).ok(),
                Err(status) => Err(status),
            }
        } else {
            let asked = fleet.ask(way, |channel| {
                let account = account(channel.clone(), bearer);
                let wishes = [email, &password, &new_email].map(|wish| wish.to_owned());
                call_beside(channel, account, beside, wishes)
            });
            asked.await.0
        };
        if let Err(status) = answer {
            let late = LATE.contains(&status.reason().as_str());
            assert!(late, "{beside:?} beside a deletion: {status:?}");
        }
        None
    }
}

async fn call_beside(
    channel: Channel,
    mut account: Account,
    beside: Beside,
    [email, password, new_email]: [String; 3],
) -> Result<Response<()>, Status> {
    let name = String::new();
    match beside {
        Beside::SignIn | Beside::Reset => {
            let mut auth = AuthServiceClient::new(channel);
            let request = RequestPasswordResetRequest { email };
            auth.request_password_reset(request).await.map(empty)
        }
        Beside::Verify => {
            let request = RequestEmailVerificationRequest { name };
            account.request_email_verification(request).await.map(empty)
        }
        Beside::ChangeEmail => {
            let request = RequestEmailChangeRequest { name, new_email };
            account.request_email_change(request).await.map(empty)
        }
        Beside::ChangePassword => {
            let new_password = "copper-Violin-44".to_owned();
            let current_password = password;
            let request = ChangePasswordRequest { name, current_password, new_password };
            account.change_password(request).await.map(empty)
        }
        Beside::AddFactor => {
            let request = BeginTotpEnrollmentRequest::default();
            account.begin_totp_enrollment(request).await.map(empty)
        }
        Beside::Reauthenticate => {
            let request = ReauthenticateRequest { name, password, code: None };
            account.reauthenticate(request).await.map(empty)
        }
    }
}

/// The address that is asked for when it is too late.
fn never(name: &str) -> String {
    email_of(&format!("{name}.never"))
}

fn empty<T>(answer: Response<T>) -> Response<()> {
    answer.map(drop)
}

impl Gone {
    /// Asks both replicas, when nobody does anything any more.
    pub(super) async fn assert_gone(&self, fleet: &Fleet) {
        let Self { user, emails, password, credentials, receipt } = self;
        let email = emails.last().expect("an address");
        let mail = fleet.mailed(email, "Your account was deleted").await;
        let text = mail.text();
        let mailed = text.split_whitespace().find(|word| word.starts_with("dr_"));
        let mailed = mailed.expect("a receipt");
        assert!(
            receipt.as_ref().is_none_or(|receipt| receipt == mailed),
            "one request, one receipt"
        );
        for replica in 0..REPLICAS {
            let way = Way::patient(replica);
            for email in emails {
                let wrong = sign_in(fleet, way, email, password).await.expect_err("nobody");
                wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
            }
            assert_over(fleet, way, credentials).await;
            let answer = receipt_of(fleet, way, mailed).await;
            assert_eq!(answer.erasures.len(), 1);
            assert!(answer.erasures.iter().all(|erasure| erasure.erase_time.is_some()));
            let service = fleet.replicas[replica].endpoint.uri().to_string();
            let (_, said) = checked_at(service.trim_end_matches('/'), &answer.receipt).await;
            let subject = said["sub"].as_str().map(|subject| format!("users/{subject}"));
            assert_eq!(subject.as_ref(), Some(user));
        }
    }
}

async fn receipt_of(fleet: &Fleet, way: Way, token: &str) -> GetDeletionReceiptResponse {
    let asked = fleet.ask(way, |channel| {
        let request = GetDeletionReceiptRequest { receipt_token: token.to_owned() };
        async move { AuthServiceClient::new(channel).get_deletion_receipt(request).await }
    });
    asked.await.0.unwrap_or_else(|status| unexpected("a receipt", &status))
}
