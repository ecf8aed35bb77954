//! The address of an account changes when both have agreed, and not before: at any
//! moment one address signs in, and only one.

use proto::auth::v1::{
    RequestEmailChangeRequest, VerifyEmailRequest, auth_service_client::AuthServiceClient,
    verify_email_response::Outcome,
};

use super::{
    calls::{Asked, account, is, sign_in, verify},
    fleet::{Fleet, unexpected},
    person::{Person, email},
    plan::Way,
};

const TO_OLD: &str = "Shall your account get another address?";
const TO_NEW: &str = "Shall this be the address of an account?";

impl Person {
    /// Has another address.
    pub(super) async fn change_email(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let new = email(&format!("{}.moved", self.name));
        let bearer = self.devices[device].credentials.access_token.clone();
        let asked = fleet.ask(way, |channel| {
            let mut account = account(channel, &bearer);
            let request =
                RequestEmailChangeRequest { new_email: new.clone(), ..Default::default() };
            async move { account.request_email_change(request).await }
        });
        match asked.await {
            (Ok(_), _) => {}
            // A further mail has to wait, so there was one.
            (Err(status), true) if is(&status, "RATE_LIMITED") => {}
            (Err(status), _) => unexpected("a request for another address", &status),
        }
        let old = fleet.mailed(&self.email, TO_OLD).await.token();
        let new_token = fleet.mailed(&new, TO_NEW).await.token();
        if way.haste.is_none() {
            // Both agree at once, on different replicas.
            let both =
                tokio::join!(verify(fleet, way, &old), verify(fleet, way.other(), &new_token));
            assert_agreed([outcome(both.0), outcome(both.1)]);
        } else {
            let first = outcome(verify(fleet, way, &old).await);
            assert!(first.is_none_or(|first| first == Outcome::Agreed), "{first:?}");
            self.agree_in_haste(fleet, way, &new, &new_token).await;
        }
        self.verified = true;
        self.left.push(std::mem::replace(&mut self.email, new));
        self.others_ended(device);
    }

    /// The last agreement, whose answer may be lost: then it is done or not, and
    /// never in between.
    async fn agree_in_haste(&self, fleet: &Fleet, way: Way, new: &str, token: &str) {
        let asked = fleet.ask_once(way, |channel| {
            let request = VerifyEmailRequest { token: token.to_owned() };
            async move { AuthServiceClient::new(channel).verify_email(request).await }
        });
        match asked.await {
            Some(Ok(answer)) => return assert_eq!(answer.outcome(), Outcome::Changed),
            Some(Err(status)) => unexpected("an agreement", &status),
            None => {}
        }
        // It may come to be done between two looks.
        let mut looks = Vec::new();
        for email in [new, &self.email, new] {
            let answer = sign_in(fleet, Way::patient(way.replica), email, &self.password()).await;
            looks.push(match answer {
                Ok(answer) => {
                    drop(self.challenge(answer));
                    true
                }
                Err(status) if is(&status, "INVALID_CREDENTIALS") => false,
                Err(status) => unexpected("a sign-in by either address", &status),
            });
        }
        let one =
            matches!(looks[..], [true, false, true] | [false, true, _] | [false, false, true]);
        assert!(one, "by the new address, the old, the new: {looks:?}");
        match verify(fleet, way, token).await {
            (Ok(outcome), _) => assert_eq!(outcome, Outcome::Changed),
            (Err(status), _) if is(&status, "MAIL_TOKEN_INVALID") => {}
            (Err(status), _) => unexpected("an agreement", &status),
        }
    }
}

/// What an agreement led to; None if only an answer that was lost has said so.
fn outcome(asked: Asked<Outcome>) -> Option<Outcome> {
    match asked {
        (Ok(outcome), _) => Some(outcome),
        (Err(status), true) if is(&status, "MAIL_TOKEN_INVALID") => None,
        (Err(status), _) => unexpected("an agreement", &status),
    }
}

/// Of two who agree, one is the first and the other the last.
#[track_caller]
fn assert_agreed(outcomes: [Option<Outcome>; 2]) {
    let mut told: Vec<_> = outcomes.into_iter().flatten().collect();
    told.sort();
    let (changed, agreed) = (Outcome::Changed, Outcome::Agreed);
    let fits =
        told == [changed, agreed] || told == [changed] || told == [agreed] || told.is_empty();
    assert!(fits, "{told:?}");
}
