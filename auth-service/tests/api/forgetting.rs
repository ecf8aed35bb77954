//! What is left of a deleted account where, and for how long: large ones, the
//! address under which somebody had asked before, mails that were on their way, and
//! the chain of the audit log.

use auth_service::{
    audit::{self, Broken, Fault},
    mail::outbox,
};
use proto::auth::v1::{ChangePasswordRequest, RequestPasswordResetRequest, VerifyEmailRequest};
use shared::{clock::Clock as _, testing::eventually};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::{
    abuse::number,
    deletion::{REQUEST, id, traces},
    harness::{PASSWORD, Person, TestApp, minutes},
    smtp::{MailServer, Mood},
};

const NEW_PASSWORD: &str = "violet-Bassoon-72";
/// Where a deleted user is still named: in what accounts for the deletion, and in
/// what verifiers are told.
const NAMED: [&str; 2] = ["data.erasures", "data.trust_events"];

impl TestApp {
    async fn request_reset(&self, person: &Person) {
        let request = RequestPasswordResetRequest { email: person.email.clone() };
        self.auth().request_password_reset(request).await.unwrap();
    }

    async fn change_password(&self, person: &Person) {
        let request = ChangePasswordRequest {
            name: person.name.clone(),
            current_password: PASSWORD.to_owned(),
            new_password: NEW_PASSWORD.to_owned(),
        };
        self.account(person.token()).change_password(request).await.unwrap();
    }

    /// Forgets what is left, and that it is forgotten.
    async fn forget(&self) {
        self.sweep().await;
        self.clock.advance(minutes(2));
        self.sweep().await;
    }
}

/// The tables that name a user, but for what accounts for the deletion.
async fn named(app: &TestApp, person: &Person) -> Vec<String> {
    let mut tables = traces(app, person).await;
    tables.retain(|table| !NAMED.contains(&table.as_str()) && table != "data.deletions");
    tables
}

/// More rows than one statement removes: nobody waits for a sweep to have them gone,
/// and no session outlives the answer.
#[tokio::test]
async fn a_large_account_is_forgotten_share_by_share() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let user = id(&ada);
    app.tamper(&format!(
        "select data.audit('{user}', 'sign_in', '{{}}', null, null, now()) from generate_series(1, 2500)"
    ))
    .await;
    for ended in ["null", "now()"] {
        app.tamper(&format!(
            "insert into data.sessions (user_id, id, rotated_at, user_agent, amr, auth_time,
                created_at, expires_at, ends_at, ended_at)
             select '{user}', gen_random_uuid(), now(), 'n', '{{pwd}}', now(), now(), 'infinity',
                'infinity', {ended} from generate_series(1, 2500)"
        ))
        .await;
    }
    app.delete(&ada, REQUEST).await.unwrap();
    let live = "select count(*) from data.sessions where ended_at is null";
    assert_eq!(number(&app, live).await, 0);
    // All that is left is the mail with the receipt, to be sent yet.
    eventually("it is gone", async || named(&app, &ada).await == ["data.outbox"]).await;
}

/// What a deletion of before left behind is removed by the sweep, of one user after
/// the other, though there are more of them than it reads at once.
#[tokio::test]
async fn the_sweep_forgets_every_deleted_user() {
    let app = TestApp::start().await;
    app.tamper(
        "insert into data.deletions (user_id, request_id, receipt_hash, requested_at)
         select gen_random_uuid(), gen_random_uuid(), '', '2026-01-01' from generate_series(1, 250)",
    )
    .await;
    app.tamper(
        "select data.audit(d.user_id, 'sign_in', '{}', null, null, now())
         from data.deletions d, generate_series(1, 5)",
    )
    .await;
    app.tamper(
        "select data.audit((select user_id from data.deletions order by 1 limit 1), 'sign_in', '{}',
            null, null, now()) from generate_series(1, 3000)",
    )
    .await;
    app.sweep().await;
    assert_eq!(number(&app, "select count(*) from data.audit_events").await, 0);
    let left = "select count(*) from data.deletions where forgotten_at is null";
    assert_eq!(number(&app, left).await, 0);
}

/// Before there was the account somebody had asked for things with its address, and
/// that goes with it; what is asked for afterwards is somebody else's.
#[tokio::test]
async fn what_was_asked_for_with_the_address_goes_too() {
    const OF_NOBODY: &str = "select count(*) from (
            select user_id from data.outbox union all select user_id from data.mail_tokens
        ) written where not exists (select from data.users u where u.user_id = written.user_id)
            and user_id <> '00000000-0000-0000-0000-000000000000'";
    let app = TestApp::start().await;
    let ada = Person {
        email: "ada@example.org".to_owned(),
        name: String::new(),
        credentials: Default::default(),
    };
    app.request_reset(&ada).await;
    assert_eq!(number(&app, OF_NOBODY).await, 2);
    let ada = app.signed_up("ada").await;
    app.clock.advance(minutes(2));
    app.delete(&ada, REQUEST).await.unwrap();
    assert_eq!(number(&app, OF_NOBODY).await, 0);

    app.clock.advance(minutes(2));
    app.request_reset(&ada).await;
    app.forget().await;
    assert_eq!(number(&app, OF_NOBODY).await, 2);
    let known = "select count(*) from data.deletions where stand_in is not null";
    assert_eq!(number(&app, known).await, 0);
}

/// The account that was asked for has rows of its own once it is there.
#[tokio::test]
async fn a_finished_sign_up_leaves_nothing_under_the_address() {
    let mails = MailServer::start().await;
    let flags = [mails.flags(), vec!["--enumeration=strict".to_owned()]].concat();
    let app = TestApp::start_with(&flags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    app.sign_up("ada").await.unwrap();
    let mail = mails.take("ada@example.org", "Please finish your sign-up").await;
    let request = VerifyEmailRequest { token: mail.token() };
    app.auth().verify_email(request).await.unwrap();
    for table in ["outbox", "mail_tokens"] {
        let count = format!("select count(*) from data.{table}");
        let mut superuser = app.database.superuser.connect().await.unwrap();
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut superuser).await.unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

/// Whoever took the account over and deletes it at once: the owner still learns that
/// the password was changed. Once that is said, nothing names the address.
#[tokio::test]
async fn what_the_owner_was_not_told_yet_is_told_all_the_same() {
    let mails = MailServer::start().await;
    mails.set(Mood::IsBusy);
    let app =
        TestApp::start_with(&mails.flags().iter().map(String::as_str).collect::<Vec<_>>()).await;
    let ada = app.signed_up("ada").await;
    app.tamper("update data.users set email_verified = true").await;
    app.change_password(&ada).await;
    app.delete(&ada, REQUEST).await.unwrap();
    let due = "select count(*) from data.outbox where next_attempt_at is not null";
    assert_eq!(number(&app, due).await, 2, "the notice and the receipt, and no link that is dead");
    mails.set(Mood::Takes);
    eventually("both are sent", async || {
        app.clock.advance(minutes(10));
        number(&app, due).await == 0
    })
    .await;
    mails.take(&ada.email, "Your password was changed").await;
    mails.take(&ada.email, "Your account was deleted").await;
    assert_eq!(named(&app, &ada).await, Vec::<String>::new());
}

/// A chain that is being removed is not broken; one that comes back afterwards is.
/// The service's own says which hash the removed one ended with.
#[tokio::test]
async fn a_chain_that_goes_with_its_account_is_not_broken() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    let verify = async || audit::verify(&app.own_database()).await.unwrap();
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let last: String =
        sqlx::query_scalar("select encode(hash, 'hex') from data.audit_heads where user_id = $1")
            .bind(id(&ada))
            .fetch_one(&mut superuser)
            .await
            .unwrap();
    app.delete(&ada, REQUEST).await.unwrap();
    let (said, entries): (String, String) = sqlx::query_as(
        "select details ->> 'last_hash', details ->> 'entries' from data.audit_events
         where kind = 'user.deleted'",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    assert_eq!((said, entries.as_str()), (last, "1"));
    let verified = verify().await.unwrap();
    assert_eq!((verified.chains, verified.entries, verified.deleted), (2, 2, 1));

    let piece = format!(
        "insert into data.audit_events select '{}', 7, kind, actor, address_prefix, device_label,
            session_id, details, created_at, hash from data.audit_events where user_id = '{}'",
        id(&ada),
        id(&bob)
    );
    let head = format!(
        "insert into data.audit_heads (user_id, sequence, hash) values ('{}', 9, '')",
        id(&ada)
    );
    for written in [&piece, &head] {
        app.tamper(written).await;
        assert_eq!(verify().await, Ok(verified));
    }
    app.forget().await;
    assert_eq!(verify().await, Ok(verified));
    app.tamper(&piece).await;
    assert_eq!(verify().await, Err(Broken { user: id(&ada), sequence: 7, fault: Fault::Missing }));
}

/// The sweep looks at all mails, however many wait: what is done and old goes, what
/// is young or still to be sent stays.
#[tokio::test]
async fn old_mails_are_swept_among_many_others() {
    let app = TestApp::start().await;
    let now = app.clock.now();
    for (count, age, due) in [(1500, 3, "null"), (1500, 1, "null"), (700, 3, "now()")] {
        app.tamper(&format!(
            "insert into data.outbox (user_id, id, kind, recipient, display_name, parameters,
                next_attempt_at, give_up_at, created_at)
             select gen_random_uuid(), gen_random_uuid(), 'none', '', '', '{{}}', {due}, now(),
                '{now}'::timestamptz - interval '{age} days' from generate_series(1, {count})"
        ))
        .await;
    }
    for (count, hours) in [(1500, -1), (1200, 1)] {
        app.tamper(&format!(
            "insert into data.mail_tokens (user_id, kind, hash, payload, created_at, expires_at)
             select gen_random_uuid(), 'reset', '', '{{}}', now(),
                '{now}'::timestamptz + interval '{hours} hours' from generate_series(1, {count})"
        ))
        .await;
    }
    outbox::sweep(&app.own_database(), now).await.unwrap();
    assert_eq!(number(&app, "select count(*) from data.outbox").await, 2200);
    assert_eq!(number(&app, "select count(*) from data.mail_tokens").await, 1200);
    outbox::sweep(&app.own_database(), now + chrono::TimeDelta::days(7)).await.unwrap();
    assert_eq!(number(&app, "select count(*) from data.outbox").await, 0);
    assert_eq!(number(&app, "select count(*) from data.mail_tokens").await, 0);
}
