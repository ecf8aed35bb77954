//! A second factor as its owner has it: which codes were shown, and that each of
//! them leads to one session, whichever replicas it is shown to.
//!
//! A code is of the present time step or of the next, and of none before one that
//! was shown; when there is none, a recovery code takes its place.

use proto::auth::v1::{
    BeginTotpEnrollmentRequest, ConfirmTotpEnrollmentRequest, Credentials, DeleteFactorRequest,
    ListFactorsRequest, RegenerateRecoveryCodesRequest, complete_sign_in_request::Code,
};
use shared::clock::{Clock as _, SystemClock};
use tonic::{Code as Refused, Status};

use super::{
    calls::{Asked, account, complete, is, sign_in},
    fleet::{Fleet, unexpected},
    person::Person,
    plan::Way,
};
use crate::{
    authenticator::{code_of, from_base32},
    harness::Told as _,
};

/// Seconds of a time step.
const STEP: i64 = 30;

#[derive(Clone)]
pub(super) struct Factor {
    /// Its resource name.
    name: String,
    secret: Vec<u8>,
    /// The last time step of which a code was shown.
    last: i64,
    recovery_codes: Vec<String>,
    /// What was shown already.
    spent: Vec<Code>,
}

/// What became of a code.
#[derive(Debug)]
pub(super) enum Taken {
    /// It has opened a session, whose credentials may be lost.
    Opened(Option<Box<Credentials>>),
    /// It was used before.
    Refused,
}

impl Factor {
    /// A code that was not shown before; None if there is none at the moment.
    pub(super) fn next_code(&mut self) -> Option<Code> {
        let now = SystemClock.now().timestamp() / STEP;
        let step = now.max(self.last + 1);
        let code = if step <= now + 1 {
            self.last = step;
            Code::TotpCode(code_of(&self.secret, step))
        } else {
            Code::RecoveryCode(self.recovery_codes.pop()?)
        };
        self.spent.push(code.clone());
        Some(code)
    }

    /// Shows a code that was not shown before.
    pub(super) async fn take(
        &self,
        fleet: &Fleet,
        way: Way,
        challenge: &str,
        code: &Code,
    ) -> Taken {
        let taken = Taken::of(complete(fleet, way, challenge, code).await);
        assert!(matches!(taken, Taken::Opened(_)), "a new code was refused");
        taken
    }

    /// No code that was shown is good for anything.
    pub(super) async fn assert_spent(&self, fleet: &Fleet, way: Way, challenge: &str) {
        // Five wrong ones end the sign-in.
        for code in self.spent.iter().rev().take(4) {
            let (answer, _) = complete(fleet, way, challenge, code).await;
            answer.expect_err("it was used").is(Refused::Unauthenticated, "CODE_INVALID");
        }
    }
}

impl Taken {
    pub(super) fn of((answer, again): Asked<Credentials>) -> Self {
        match answer {
            Ok(credentials) => Self::Opened(Some(Box::new(credentials))),
            // It has ended the sign-in before.
            Err(status) if again && is(&status, "CHALLENGE_INVALID") => Self::Opened(None),
            Err(status) if is(&status, "CODE_INVALID") => Self::Refused,
            Err(status) => unexpected("a code", &status),
        }
    }
}

impl Person {
    /// Adds an authenticator, the first factor that there is.
    pub(super) async fn add_factor(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let bearer = self.devices[device].credentials.access_token.clone();
        let mut factor = loop {
            let begun = begin(fleet, way, &bearer).await;
            if let Some(confirmed) = confirm(fleet, way, &bearer, begun).await {
                break confirmed;
            }
        };
        if factor.recovery_codes.is_empty() {
            // They were in the answer that was lost.
            factor.recovery_codes = recovery_codes(fleet, way, &bearer).await;
        }
        assert_eq!(factor.recovery_codes.len(), 10);
        self.factor = Some(factor);
        self.others_ended(device);
    }

    /// Shows one code to both replicas at once, each of which has seen the password.
    pub(super) async fn use_code_twice(&mut self, fleet: &Fleet, way: Way) {
        let mut challenges = Vec::new();
        for way in [way, way.other()] {
            let answer = sign_in(fleet, way, &self.email, &self.password()).await;
            let answer = answer.unwrap_or_else(|status| unexpected("a sign-in", &status));
            challenges.push(self.challenge(answer).expect_err("there is a factor"));
        }
        let Some(code) = self.factor.as_mut().and_then(Factor::next_code) else { return };
        let (one, other) = tokio::join!(
            complete(fleet, way, &challenges[0], &code),
            complete(fleet, way.other(), &challenges[1], &code),
        );
        match (Taken::of(one), Taken::of(other)) {
            (taken @ Taken::Opened(_), Taken::Refused)
            | (Taken::Refused, taken @ Taken::Opened(_)) => self.took(taken),
            both => panic!("one code, shown twice: {both:?}"),
        }
    }

    /// Removes the authenticator, if there is one.
    pub(super) async fn remove_factor(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let Some(Factor { name, .. }) = self.factor.take() else { return };
        let bearer = self.devices[device].credentials.access_token.clone();
        remove(fleet, way, &bearer, &name).await;
    }

    pub(super) fn took(&mut self, taken: Taken) {
        if let Taken::Opened(credentials) = taken {
            self.codes_taken += 1;
            if let Some(credentials) = credentials {
                self.signed_in(Some(*credentials));
            }
        }
    }

    /// As many sessions have begun with a code as codes were taken.
    pub(super) async fn assert_codes_taken(&self, fleet: &Fleet) {
        let begun = "select count(*) from data.sessions s
            join data.users u on u.user_id = s.user_id
            where u.email = $1 and s.amr && array['otp', 'recovery', 'pop']";
        let begun = sqlx::query_scalar(begun).bind(&self.email).fetch_one(&fleet.rows).await;
        let begun: i64 = begun.expect("the sessions are counted");
        assert_eq!(usize::try_from(begun).expect("a number"), self.codes_taken, "{}", self.email);
    }
}

pub(super) async fn remove(fleet: &Fleet, way: Way, bearer: &str, name: &str) {
    let asked = fleet.ask(way, |channel| {
        let (mut account, name) = (account(channel, bearer), name.to_owned());
        async move { account.delete_factor(DeleteFactorRequest { name }).await }
    });
    match asked.await {
        (Ok(_), _) => {}
        (Err(status), true) if is(&status, "FACTOR_NOT_FOUND") => {}
        (Err(status), _) => unexpected("a removal of a factor", &status),
    }
}

async fn begin(fleet: &Fleet, way: Way, bearer: &str) -> Factor {
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, bearer);
        async move { account.begin_totp_enrollment(BeginTotpEnrollmentRequest::default()).await }
    });
    let begun = asked.await.0.unwrap_or_else(|status| unexpected("an enrolment", &status));
    let (name, secret) = (begun.name, from_base32(&begun.secret));
    Factor { name, secret, last: 0, recovery_codes: Vec::new(), spent: Vec::new() }
}

/// The factor, if it is one now: a call to begin whose answer was lost may have
/// taken its place.
async fn confirm(fleet: &Fleet, way: Way, bearer: &str, begun: Factor) -> Option<Factor> {
    let mut refused = None;
    // The step before leaves more codes to use; its time may be over by now.
    for back in [1, 0] {
        let last = SystemClock.now().timestamp() / STEP - back;
        let code = code_of(&begun.secret, last);
        let asked = fleet.ask(way, |channel| {
            let mut account = account(channel, bearer);
            let (name, totp_code) = (begun.name.clone(), code.clone());
            let request = ConfirmTotpEnrollmentRequest { name, totp_code };
            async move { account.confirm_totp_enrollment(request).await }
        });
        let recovery_codes = match asked.await {
            (Ok(answer), _) => Some(answer.recovery_codes),
            (Err(status), again) if is(&status, "FACTOR_NOT_FOUND") => {
                let confirmed = names(fleet, way, bearer).await.contains(&begun.name);
                assert!(again || !confirmed, "nobody else has confirmed it");
                confirmed.then(Vec::new)
            }
            (Err(status), _) if is(&status, "FIELD_INVALID") => {
                refused = Some(status);
                continue;
            }
            (Err(status), _) => unexpected("the end of an enrolment", &status),
        };
        let spent = vec![Code::TotpCode(code)];
        return Some(Factor { last, recovery_codes: recovery_codes?, spent, ..begun });
    }
    unexpected("the code of now", &refused.unwrap_or_else(|| Status::unknown("none")))
}

pub(super) async fn names(fleet: &Fleet, way: Way, bearer: &str) -> Vec<String> {
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, bearer);
        async move { account.list_factors(ListFactorsRequest::default()).await }
    });
    let listed = asked.await.0.unwrap_or_else(|status| unexpected("a list", &status));
    listed.factors.into_iter().map(|factor| factor.name).collect()
}

/// Other recovery codes; those of a call whose answer was lost may have taken
/// their place.
async fn recovery_codes(fleet: &Fleet, way: Way, bearer: &str) -> Vec<String> {
    loop {
        let asked = fleet.ask(Way::patient(way.replica), |channel| {
            let mut account = account(channel, bearer);
            let request = RegenerateRecoveryCodesRequest::default();
            async move { account.regenerate_recovery_codes(request).await }
        });
        match asked.await {
            (Ok(answer), false) => return answer.recovery_codes,
            (Ok(_), true) => fleet.until_done("api.make_recovery_codes").await,
            (Err(status), _) => unexpected("recovery codes", &status),
        }
    }
}
