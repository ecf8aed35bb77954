//! Many at once.

use std::{
    collections::{BTreeSet, HashSet},
    pin::Pin,
};

use auth_service::{
    SCHEMA,
    admin::{
        first::{self, Made, Revoked},
        lockout::{self, Dropped},
    },
    email::Email,
};
use futures_util::future::join_all;
use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, ChangePasswordRequest, CompleteSignInRequest,
    ConfirmPasskeyEnrollmentRequest, ConfirmTotpEnrollmentRequest, Credentials,
    RefreshSessionRequest, ResetPasswordRequest, RevokeOtherSessionsRequest, RevokeSessionRequest,
    SignInRequest, SignOutRequest, VerifyEmailRequest, complete_sign_in_request::Code::TotpCode,
};
use shared::{clock::Clock as _, testing::eventually};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tonic::{Code, Status};

use crate::{
    authenticator::{Authenticator, challenged, signed_in},
    deletion::id,
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
    operators::suspend,
    passkeys::device::{Key, Making},
    recovery::{CHANGE_NEW, CHANGE_OLD, NEW, RESET, request_change, request_reset, start, verify},
    smtp::MailServer,
};

const MANY: usize = 50;

/// FR-005: of fifty sign-ups of one e-mail exactly one succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn one_email_has_one_account() {
    let app = TestApp::start().await;
    let answers = join_all((0..MANY).map(|_| app.sign_up("ada"))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for refused in refused {
        refused.unwrap_err().is(Code::AlreadyExists, "EMAIL_ALREADY_REGISTERED");
    }
    let mut connection = app.database.superuser.connect().await.unwrap();
    let rows: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from data.users), (select count(*) from data.user_emails),
            (select count(*) from data.sessions)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(rows, (1, 1, 1));
}

/// E1: fifty refreshes with one token get one successor; nobody is signed out.
#[tokio::test(flavor = "multi_thread")]
async fn one_token_has_one_successor() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    for token in [ada.credentials.refresh_token.clone()] {
        let answers = join_all((0..MANY).map(|_| app.refresh(&token))).await;
        let successors: HashSet<String> =
            answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(successors.len(), 1);
        assert!(app.refresh(successors.iter().next().unwrap()).await.is_ok());
    }
}

/// Somebody with two sessions, as many as there may be, and what it takes to end
/// some of them.
struct Stage {
    app: TestApp,
    mails: MailServer,
    /// The session on the laptop.
    ada: Person,
    phone: Credentials,
}

/// A function that ends sessions, how many of them verifiers are told, the end of all
/// of the user's being one more, and how a call of it is made ready.
type Ending = (&'static str, i64, fn(&Stage) -> Readied<'_>);
type Readied<'a> = Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;
type Ended = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

const ENDINGS: [Ending; 15] = [
    ("api.change_password", 1, |stage| Box::pin(stage.change_password())),
    ("api.complete_sign_in", 2, |stage| Box::pin(stage.complete_sign_in())),
    ("api.confirm_passkey", 1, |stage| Box::pin(stage.add_passkey())),
    ("api.confirm_totp", 1, |stage| Box::pin(stage.add_authenticator())),
    ("api.delete_user", 1, |stage| Box::pin(stage.delete())),
    ("api.drop_factors_of", 2, |stage| Box::pin(stage.drop_factors())),
    ("api.end_session", 1, |stage| Box::pin(stage.sign_out())),
    ("api.open_session", 1, |stage| Box::pin(stage.sign_in())),
    ("api.refresh_session", 1, |stage| Box::pin(stage.use_again())),
    ("api.reset_password", 2, |stage| Box::pin(stage.reset_password())),
    ("api.revoke_operator", 2, |stage| Box::pin(stage.revoke_operator())),
    ("api.revoke_other_sessions", 1, |stage| Box::pin(stage.revoke_others())),
    ("api.revoke_session", 1, |stage| Box::pin(stage.revoke())),
    ("api.suspend_user", 3, |stage| Box::pin(stage.suspend())),
    ("api.verify_email", 1, |stage| Box::pin(stage.change_email())),
];

impl Stage {
    async fn new() -> Self {
        let mails = MailServer::start().await;
        let app = start(&mails, &["--max-sessions=2"]).await;
        let ada = app.signed_up("ada").await;
        let phone = app.sign_in(&ada.email, PASSWORD).await.unwrap();
        Self { app, mails, ada, phone }
    }

    async fn sign_out(&self) -> Ended {
        let request = SignOutRequest { refresh_token: self.phone.refresh_token.clone() };
        let mut auth = self.app.auth();
        Box::pin(async move { auth.sign_out(request).await.map(drop) })
    }

    /// The first token of the phone is an old one.
    async fn use_again(&self) -> Ended {
        self.app.refresh(&self.phone.refresh_token).await.unwrap();
        self.app.clock.advance(minutes(1));
        let request = RefreshSessionRequest { refresh_token: self.phone.refresh_token.clone() };
        let mut auth = self.app.auth();
        Box::pin(async move {
            let reused = auth.refresh_session(request).await.unwrap_err();
            reused.is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
            Ok(())
        })
    }

    async fn sign_in(&self) -> Ended {
        let (email, password) = (self.ada.email.clone(), PASSWORD.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        let mut auth = self.app.auth();
        Box::pin(async move { auth.sign_in(request).await.map(drop) })
    }

    async fn complete_sign_in(&self) -> Ended {
        // Which ends the session of the phone; it signs in again.
        let authenticator = Authenticator::enrolled(&self.app, self.ada.token()).await;
        self.app.clock.advance(minutes(2));
        let code = TotpCode(authenticator.code(&self.app, 0));
        signed_in(&self.app, &self.ada, code).await.unwrap();
        self.app.clock.advance(minutes(2));
        let request = CompleteSignInRequest {
            challenge_token: challenged(&self.app, &self.ada).await.token,
            code: Some(TotpCode(authenticator.code(&self.app, 0))),
            ..CompleteSignInRequest::default()
        };
        let mut auth = self.app.auth();
        Box::pin(async move { auth.complete_sign_in(request).await.map(drop) })
    }

    async fn add_authenticator(&self) -> Ended {
        let authenticator = Authenticator::begun(&self.app, self.ada.token()).await;
        let request = ConfirmTotpEnrollmentRequest {
            totp_code: authenticator.code(&self.app, 0),
            name: authenticator.name,
        };
        let mut account = self.app.account(self.ada.token());
        Box::pin(async move { account.confirm_totp_enrollment(request).await.map(drop) })
    }

    async fn add_passkey(&self) -> Ended {
        let mut account = self.app.account(self.ada.token());
        let begun = BeginPasskeyEnrollmentRequest::default();
        let begun = account.begin_passkey_enrollment(begun).await.unwrap().into_inner();
        let mut made = Making::of(&begun.creation_options, &Key::ed25519());
        made.client["origin"] = "https://page.test".into();
        let (name, credential) = (begun.name, made.json());
        let request = ConfirmPasskeyEnrollmentRequest { name, credential, ..Default::default() };
        Box::pin(async move { account.confirm_passkey_enrollment(request).await.map(drop) })
    }

    /// The session of the phone ends with the first factor.
    async fn drop_factors(&self) -> Ended {
        Authenticator::enrolled(&self.app, self.ada.token()).await;
        let (database, now) = (self.app.own_database(), self.app.clock.now());
        let email = Email::parse(&self.ada.email).unwrap();
        Box::pin(async move {
            let dropped = lockout::drop_factors(&database, &email, now).await.unwrap();
            assert_eq!(dropped, Dropped::Done);
            Ok(())
        })
    }

    async fn revoke(&self) -> Ended {
        let request = RevokeSessionRequest { name: self.phone.session.clone() };
        let mut account = self.app.account(self.ada.token());
        Box::pin(async move { account.revoke_session(request).await.map(drop) })
    }

    async fn revoke_others(&self) -> Ended {
        let mut account = self.app.account(self.ada.token());
        let request = RevokeOtherSessionsRequest::default();
        Box::pin(async move { account.revoke_other_sessions(request).await.map(drop) })
    }

    async fn change_password(&self) -> Ended {
        let mut account = self.app.account(self.ada.token());
        let request = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: NEW.to_owned(),
            ..ChangePasswordRequest::default()
        };
        Box::pin(async move { account.change_password(request).await.map(drop) })
    }

    async fn reset_password(&self) -> Ended {
        request_reset(&self.app, &self.ada.email).await.unwrap();
        let token = self.mails.take(&self.ada.email, RESET).await.token();
        let request = ResetPasswordRequest { token, new_password: NEW.to_owned() };
        let mut auth = self.app.auth();
        Box::pin(async move { auth.reset_password(request).await.map(drop) })
    }

    /// One address has agreed, the other does.
    async fn change_email(&self) -> Ended {
        let new = "ada@example.net";
        request_change(&self.app, self.ada.token(), new).await.unwrap();
        let old = self.mails.take(&self.ada.email, CHANGE_OLD).await.token();
        verify(&self.app, &old).await.unwrap();
        let token = self.mails.take(new, CHANGE_NEW).await.token();
        let mut auth = self.app.auth();
        Box::pin(async move { auth.verify_email(VerifyEmailRequest { token }).await.map(drop) })
    }

    async fn suspend(&self) -> Ended {
        let operator = self.app.operator("olga").await;
        let (mut admin, name) = (self.app.admin(operator.token()), self.ada.name.clone());
        Box::pin(async move { suspend(&mut admin, &name).await })
    }

    async fn revoke_operator(&self) -> Ended {
        let made = self.app.make_operator(&self.ada.email, None, true).await.unwrap();
        assert_eq!(made, Made::Granted);
        let (database, now) = (self.app.own_database(), self.app.clock.now());
        let email = Email::parse(&self.ada.email).unwrap();
        Box::pin(async move {
            assert_eq!(first::revoke(&database, &email, now).await.unwrap(), Revoked::Done);
            Ok(())
        })
    }

    async fn delete(&self) -> Ended {
        let mut account = self.app.account(self.ada.token());
        let request = self.ada.deletion("");
        Box::pin(async move { account.delete_user(request).await.map(drop) })
    }
}

/// Where whatever ends sessions may take rows, once it has the user's.
const OTHER_ROWS: [&str; 9] = [
    "audit_heads",
    "challenges",
    "factors",
    "mail_tokens",
    "outbox",
    "recovery_codes",
    "sessions",
    "trust_head",
    "user_emails",
];

/// Whatever ends sessions waits for the user's row before it takes anything else:
/// the sessions, the log of the user, what verifiers are told. So nobody waits for
/// somebody who waits for them, and one user's calls hold nobody else's up.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_in_one_order() {
    for (function, told, ready) in ENDINGS {
        let stage = Stage::new().await;
        let ending = ready(&stage).await;
        let user = id(&stage.ada);
        let mut superuser = stage.app.database.superuser.connect().await.unwrap();
        let mut holds = sqlx::Connection::begin(&mut superuser).await.unwrap();
        sqlx::query("set local lock_timeout = '300ms'").execute(&mut *holds).await.unwrap();
        let row = "select from data.users where user_id = $1 for update";
        sqlx::query(row).bind(user).execute(&mut *holds).await.unwrap();

        let ended = tokio::spawn(ending);
        waits(&stage.app, function).await;
        for table in OTHER_ROWS {
            let free = AssertSqlSafe(format!("select from data.{table} for update"));
            let taken = sqlx::query(free).execute(&mut *holds).await;
            assert!(taken.is_ok(), "{function} holds a row of {table}");
        }
        holds.rollback().await.unwrap();
        ended.await.unwrap().unwrap();
        let events = "select count(*) from data.trust_events
            where kind in ('session', 'user') and subject_id = $1";
        let events: i64 =
            sqlx::query_scalar(events).bind(user).fetch_one(&mut superuser).await.unwrap();
        assert_eq!(events, told, "{function}");
    }
}

/// Waits until a call of this function waits for a lock.
pub(crate) async fn waits(app: &TestApp, function: &str) {
    let waits = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        and position($1 in query) > 0";
    eventually(function, async || {
        let mut superuser = app.database.superuser.connect().await.unwrap();
        let waits = sqlx::query_scalar(waits).bind(function).fetch_one(&mut superuser).await;
        waits.is_ok_and(|waits: i64| waits == 1)
    })
    .await;
}

/// What ends sessions tells verifiers so, by itself or by what it calls; all of it is
/// in the table above.
#[test]
fn every_function_that_ends_sessions_is_raced() {
    let functions: Vec<(String, String)> =
        SCHEMA.functions.iter().map(|(_, sql)| text(sql)).collect();
    let tells = |body: &str| {
        let mut calls = body.split("data.tell_verifiers(").skip(1).map(str::trim_start);
        calls.any(|told| told.starts_with("'session'") || told.starts_with("'user'"))
    };
    let mut ends: BTreeSet<&str> =
        functions.iter().filter(|(_, body)| tells(body)).map(|(name, _)| name.as_str()).collect();
    assert!(ends.contains("data.end_sessions"), "{ends:?}");
    loop {
        let calls = |body: &str| ends.iter().any(|name| body.contains(&format!("{name}(")));
        let found = functions.iter().filter(|(_, body)| calls(body));
        let more: BTreeSet<&str> =
            found.map(|(name, _)| name.as_str()).chain(ends.iter().copied()).collect();
        if more.len() == ends.len() {
            break;
        }
        ends = more;
    }
    ends.retain(|name| name.starts_with("api."));
    assert_eq!(ends, ENDINGS.iter().map(|(name, ..)| *name).collect());
}

/// The name of a function, and what it does.
pub(crate) fn text(sql: &str) -> (String, String) {
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let (_, text) = text.split_once("create or replace function ").unwrap();
    let (name, body) = text.split_once('(').unwrap();
    (name.to_owned(), body.to_owned())
}
