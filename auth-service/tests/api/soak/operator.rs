//! Somebody who operates: suspends and reinstates, orders and withdraws signing keys,
//! makes secrets of a service account, and brings accounts in.

use std::time::Duration;

use proto::auth::v1::{
    CreateServiceAccountRequest, Credentials, ImportUsersRequest, ListServiceAccountsRequest,
    ReinstateUserRequest, RevokeSigningKeyRequest, RotateSigningKeyRequest, SuspendUserRequest,
    import_users_request::ImportedUser,
};
use shared::testing::eventually;
use tonic::Code;

use super::{
    calls::{admin, complete, is, reads, refresh, sign_in},
    fleet::{Fleet, unexpected},
    person::{Person, assert_over, email},
    plan::{REPLICAS, Way},
};
use crate::harness::Told as _;

/// The service account whose secrets are rotated.
const ROTATED: &str = "serviceAccounts/rotated";
/// How a withdrawal is answered that was done before.
const DONE: [&str; 2] = ["TOKEN_INVALID", "SIGNING_KEY_NOT_FOUND"];
/// Accounts that are brought in.
const IMPORTED: usize = 6;
/// A password of another system.
const FOREIGN: (&str, &str) = crate::import::BCRYPT;

/// Orders a signing key.
pub(super) async fn rotate_key(fleet: &Fleet, way: Way) {
    let bearer = fleet.service_token().await;
    let asked = fleet.ask(way, |channel| {
        let mut admin = admin(channel, &bearer);
        async move { admin.rotate_signing_key(RotateSigningKeyRequest {}).await }
    });
    if let (Err(status), _) = asked.await {
        unexpected("a rotation", &status);
    }
}

/// Brings accounts in, by two replicas at once: each is made once.
pub(super) async fn import(fleet: &Fleet, way: Way) {
    let bearer = fleet.service_token().await;
    let users: Vec<_> = (0..IMPORTED).map(imported).collect();
    let import = async |way| {
        let asked = fleet.ask(way, |channel| {
            let (mut admin, users) = (admin(channel, &bearer), users.clone());
            async move { admin.import_users(ImportUsersRequest { users }).await }
        });
        let (answer, again) = asked.await;
        let answer = answer.unwrap_or_else(|status| unexpected("an import", &status));
        (answer.results, again)
    };
    let ((one, again), (other, once_more)) = tokio::join!(import(way), import(way.other()));
    for (one, other) in one.iter().zip(&other) {
        let made = [one, other].iter().filter(|row| !row.user.is_empty()).count();
        // Or in an answer that was lost.
        assert!(made == 1 || made == 0 && (again || once_more), "{one:?}, {other:?}");
    }
}

/// Everybody who was brought in gets in, by either replica.
pub(super) async fn assert_imported(fleet: &Fleet) {
    for n in 0..IMPORTED {
        let email = imported(n).email;
        let signed_in = sign_in(fleet, Way::patient(n), &email, FOREIGN.1).await;
        assert!(signed_in.is_ok(), "{email}: {signed_in:?}");
    }
}

fn imported(n: usize) -> ImportedUser {
    let (email, password_hash) = (email(&format!("imported{n}")), FOREIGN.0.to_owned());
    ImportedUser { email, password_hash, ..ImportedUser::default() }
}

/// Withdraws the key that signs, while the replica that is asked is killed after a
/// moment: tokens of it are good no more, and both replicas sign with another one.
pub(super) async fn withdraw_key(
    fleet: &Fleet,
    (way, moment): (Way, Duration),
    credentials: &Credentials,
) {
    let bearer = fleet.service_token().await;
    let kid = kid(&bearer);
    let revocation = fleet.ask(way, |channel| {
        let (mut admin, kid) = (admin(channel, &bearer), kid.clone());
        async move { admin.revoke_signing_key(RevokeSigningKeyRequest { kid }).await }
    });
    let kill = async {
        tokio::time::sleep(moment).await;
        fleet.replicas[way.replica].kill().await;
    };
    let (revoked, ()) = tokio::join!(revocation, kill);
    match revoked {
        (Ok(_), _) => {}
        // The token that asks is of that key, too; not everybody has to know yet.
        (Err(status), true) if DONE.contains(&status.reason().as_str()) => {}
        (Err(status), _) => unexpected("a withdrawal", &status),
    }
    for replica in &fleet.replicas {
        eventually("the token is good no more", async || {
            let mut admin = admin(replica.channel.clone(), &bearer);
            let listed = admin.list_service_accounts(ListServiceAccountsRequest::default()).await;
            listed.is_err_and(|status| is(&status, "TOKEN_INVALID"))
        })
        .await;
    }
    // Both have read which keys there are since then.
    for replica in 0..REPLICAS {
        let way = Way::patient(replica);
        let (answer, _) = refresh(fleet, way, &credentials.refresh_token).await;
        let answer = answer.expect("the session lives");
        assert_ne!(self::kid(&answer.access_token), kid);
        reads(fleet, way.other(), &answer).await.expect("the new key is known");
    }
}

/// The id of the key that a token is signed with.
fn kid(token: &str) -> String {
    let header = jsonwebtoken::decode_header(token).expect("a token");
    header.kid.expect("it names its key")
}

/// Has further secrets made, and the last two at once; tells them all, but for those
/// in answers that were lost.
pub(super) async fn rotate_secrets(fleet: &Fleet, ways: &[Way]) -> Vec<String> {
    let bearer = fleet.service_token().await;
    let mut secrets = Vec::new();
    let (last, before) = ways.split_last().expect("some secrets");
    for way in before {
        let secret = secret(fleet, *way, &bearer).await;
        for replica in 0..REPLICAS {
            let token = fleet.token_by(Way::patient(replica), &secret).await;
            assert!(token.is_ok(), "the newest secret: {token:?}");
        }
        secrets.push(secret);
    }
    let (one, other) =
        tokio::join!(secret(fleet, *last, &bearer), secret(fleet, last.other(), &bearer));
    secrets.extend([one, other]);
    secrets
}

async fn secret(fleet: &Fleet, way: Way, bearer: &str) -> String {
    let asked = fleet.ask(way, |channel| {
        let mut admin = admin(channel, bearer);
        let (name, scopes) = (ROTATED.to_owned(), vec!["trust:watch".to_owned()]);
        let request = CreateServiceAccountRequest { name, scopes, ..Default::default() };
        async move { admin.create_service_account(request).await }
    });
    asked.await.0.unwrap_or_else(|status| unexpected("a secret", &status)).secret
}

/// Asks both replicas, when nobody does anything any more: two secrets are stored,
/// and no other is good for anything.
pub(super) async fn assert_two_live(fleet: &Fleet, secrets: &[String]) {
    let stored = "select count(*) from data.service_secrets s
        join data.service_accounts a on a.account_id = s.account_id
        where 'serviceAccounts/' || a.name = $1";
    let stored = sqlx::query_scalar(stored).bind(ROTATED).fetch_one(&fleet.rows).await;
    let stored: i64 = stored.expect("the secrets are counted");
    assert_eq!(stored, 2);
    for replica in 0..REPLICAS {
        let mut live = Vec::new();
        for (n, secret) in secrets.iter().enumerate() {
            match fleet.token_by(Way::patient(replica), secret).await {
                Ok(_) => live.push(n),
                Err(refused) => refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS"),
            }
        }
        // Others may have been in answers that were lost.
        let last = secrets.len() - 2;
        assert!((1..=2).contains(&live.len()) && live.iter().all(|n| *n >= last), "{live:?}");
    }
}

impl Person {
    /// Is suspended while something else goes on: from the answer on nobody gets a
    /// token, until the account is open again.
    pub(super) async fn be_suspended(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let (user, bearer) = (self.user(), fleet.service_token().await);
        let password = self.password();
        let challenge = match &self.factor {
            None => None,
            Some(_) => {
                let answer = sign_in(fleet, way, &self.email, &password).await;
                let answer = answer.unwrap_or_else(|status| unexpected("a sign-in", &status));
                self.challenge(answer).err()
            }
        };
        // Who is in a hurry could suspend again what is reinstated by then.
        let patient = Way::patient(way.replica);
        let suspension = fleet.ask(patient, |channel| {
            let mut admin = admin(channel, &bearer);
            let (name, reason) = (user.clone(), "spam".to_owned());
            async move { admin.suspend_user(SuspendUserRequest { name, reason }).await }
        });
        let token = self.devices[device].credentials.refresh_token.clone();
        let rests = self.devices[device].rests;
        let refreshing =
            async { if rests { None } else { Some(refresh(fleet, way.other(), &token).await.0) } };
        let signing_in = sign_in(fleet, patient.other(), &self.email, &password);
        let (suspended, refreshed, signed_in) = tokio::join!(suspension, refreshing, signing_in);
        if let (Err(status), _) = suspended {
            unexpected("a suspension", &status);
        }
        self.all_ended();
        match refreshed {
            Some(Err(status)) if !is(&status, "REFRESH_TOKEN_INVALID") => {
                unexpected("a refresh beside a suspension", &status);
            }
            refreshed => self.ended.extend(refreshed.and_then(Result::ok)),
        }
        match signed_in {
            Ok(answer) => self.ended.extend(self.challenge(answer).ok()),
            Err(status) if is(&status, "USER_SUSPENDED") => {}
            Err(status) => unexpected("a sign-in beside a suspension", &status),
        }
        self.assert_suspended(fleet, challenge).await;
        fleet.until_done("api.suspend_user").await;
        let asked = fleet.ask(way, |channel| {
            let (mut admin, name) = (admin(channel, &bearer), user.clone());
            async move { admin.reinstate_user(ReinstateUserRequest { name }).await }
        });
        if let (Err(status), _) = asked.await {
            unexpected("a reinstatement", &status);
        }
        self.sign_in(fleet, way).await;
    }

    /// No way leads to a token.
    async fn assert_suspended(&self, fleet: &Fleet, challenge: Option<String>) {
        // It is not looked at, and so is good later on.
        let code = self.factor.clone().and_then(|mut factor| factor.next_code());
        for replica in 0..REPLICAS {
            let way = Way::patient(replica);
            let closed = sign_in(fleet, way, &self.email, &self.password()).await;
            closed.expect_err("it is closed").is(Code::PermissionDenied, "USER_SUSPENDED");
            assert_over(fleet, way, &self.ended).await;
            if let (Some(challenge), Some(code)) = (&challenge, &code) {
                let (over, _) = complete(fleet, way, challenge, code).await;
                over.expect_err("it is over").is(Code::Unauthenticated, "CHALLENGE_INVALID");
            }
        }
    }
}
