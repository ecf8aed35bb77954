//! How mail gets out of the outbox: once if all goes well, again under the same
//! Message-ID if not, and with nobody's words in the wrong place.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use auth_service::App;
use proto::auth::v1::{
    ChangePasswordRequest, RequestPasswordResetRequest, SignUpRequest, VerifyEmailRequest,
};
use shared::{
    clock::Clock as _,
    database::Database,
    telemetry,
    testing::{TestDatabase, eventually},
};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::{
    harness::{PASSWORD, TestApp, config, days, key, minutes},
    smtp::{MailServer, Mood},
};

const VERIFY: &str = "Please verify your address";

async fn start(flags: &[String]) -> TestApp {
    TestApp::start_with(&flags.iter().map(String::as_str).collect::<Vec<_>>()).await
}

/// What the outbox says of its mails: how often each was tried, whether it was
/// sent, whether there is something left to do, and whether it still says what.
async fn outbox(database: &TestDatabase) -> Vec<(i64, bool, bool, bool)> {
    let mut connection = database.superuser.connect().await.unwrap();
    sqlx::query_as(
        "select attempts, sent_at is not null, next_attempt_at is not null, parameters <> '{}'
         from data.outbox order by id",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}

/// Whether no mail is due.
async fn is_quiet(app: &TestApp) -> bool {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar("select not exists (select from data.outbox where next_attempt_at <= $1)")
        .bind(app.clock.now())
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// Everything in every table, as text.
async fn dump(database: &TestDatabase) -> String {
    let mut connection = database.superuser.connect().await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'data'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = AssertSqlSafe(format!("select t::text from data.{table} t"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        dump.extend(rows);
    }
    dump
}

#[tokio::test]
async fn a_mail_is_what_readers_and_servers_expect() {
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    let ada = app.signed_up("ada").await;
    let mail = mails.take(&ada.email, VERIFY).await;
    assert_eq!(mail.header("From").unwrap(), "Duet <duet@mail.test>");
    assert_eq!(mail.header("To").unwrap(), "ada@example.org");
    assert_eq!(mail.header("Date").unwrap(), "Tue, 20 Jan 2026 12:00:00 +0000");
    assert_eq!(mail.header("Auto-Submitted").unwrap(), "auto-generated");
    assert!(mail.header("Message-ID").unwrap().ends_with("@mail.test>"));
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    let (text, html) = (mail.text(), mail.html());
    let link = format!("https://page.test/verify#token={}", mail.token());
    assert!(text.contains(&format!("\n{link}\n")), "{text}");
    assert!(html.contains(&format!("<a href=\"{link}\"")), "{html}");
    for remote in ["src=", "url(", "<link", "<script", "@import"] {
        assert!(!html.contains(remote), "{html}");
    }
    eventually("it is noted and forgotten", async || {
        outbox(&app.database).await == [(1, true, false, false)]
    })
    .await;
    app.clock.advance(days(2) + minutes(20));
    eventually("it is removed", async || outbox(&app.database).await.is_empty()).await;
}

#[tokio::test]
async fn a_mail_is_tried_again_under_the_same_message_id() {
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    mails.set(Mood::IsBusy);
    let ada = app.signed_up("ada").await;
    for attempt in 1..=3 {
        eventually("it is refused, and that is noted", async || {
            outbox(&app.database).await == [(attempt, false, true, true)]
        })
        .await;
        if attempt == 3 {
            mails.set(Mood::Takes);
        }
        eventually("it is tried again", async || {
            app.clock.advance(Duration::from_secs(5));
            mails.offered() > usize::try_from(attempt).unwrap()
        })
        .await;
    }
    eventually("it is sent", async || outbox(&app.database).await == [(4, true, false, false)])
        .await;
    let first = mails.take(&ada.email, VERIFY).await;
    assert_eq!(mails.mails(), [first.clone(), first.clone(), first], "to the byte");
}

/// Stopped between the lease and the note. Nobody waits for the mail server's answer
/// then: the lease stays, and no note is made.
#[tokio::test]
async fn a_mail_whose_sender_died_is_sent_again_as_the_same() {
    let mails = MailServer::start().await;
    let (key, flags) = (key(), mails.flags());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    shared::program::install_cryptography();
    let database = shared::testing::database(&auth_service::SCHEMA).await;
    let app = TestApp::start_on(database, shared::testing::ManualClock::new(), &key, &flags).await;
    mails.set(Mood::FallsSilent);
    let ada = app.signed_up("ada").await;
    let first = mails.take(&ada.email, VERIFY).await;
    let (database, clock) = app.stop().await;
    assert_eq!(outbox(&database).await, [(1, false, true, true)]);

    // No token is anywhere while the mail is under way.
    let token = first.token();
    let (dump, log) = (dump(&database).await, telemetry::capture().text());
    assert!(dump.contains(&ada.email) && !dump.contains(&token) && !log.contains(&token));
    let secret = &token[token.len() - 40..token.len() - 8];
    assert!(!dump.contains(secret) && !log.contains(secret));

    mails.set(Mood::Takes);
    let app = TestApp::start_on(database, clock, &key, &flags).await;
    eventually("the lease ends", async || {
        app.clock.advance(Duration::from_secs(5));
        !mails.mails().is_empty()
    })
    .await;
    assert_eq!(mails.take(&ada.email, VERIFY).await, first, "to the byte");
    let verified = VerifyEmailRequest { token };
    assert!(app.auth().verify_email(verified).await.is_ok());
    eventually("it is noted", async || outbox(&app.database).await == [(2, true, false, false)])
        .await;
}

#[tokio::test]
async fn a_mail_is_given_up_when_it_is_not_worth_sending_any_more() {
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    mails.set(Mood::IsBusy);
    app.signed_up("ada").await;
    let mut hours = 0;
    while outbox(&app.database).await[0].2 {
        assert!(hours < 30, "it is tried for ever");
        eventually("the sender had its turn", async || {
            app.clock.advance(Duration::from_secs(5));
            is_quiet(&app).await
        })
        .await;
        app.clock.advance(minutes(60));
        hours += 1;
    }
    assert!(hours > 20, "{hours}");
    let [(attempts, sent, due, told)] = outbox(&app.database).await[..] else { panic!("one mail") };
    assert!(attempts >= 10 && !sent && !due && !told, "{attempts}");

    // Nobody is asked again for a mailbox that does not exist.
    mails.set(Mood::KnowsNobody);
    app.signed_up("bob").await;
    eventually("it is given up", async || {
        outbox(&app.database).await.get(1) == Some(&(1, false, false, false))
    })
    .await;
}

/// A refusal that says nothing of the mailbox may be over the next time.
#[tokio::test]
async fn a_server_that_refuses_for_another_reason_is_asked_again() {
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    mails.set(Mood::Distrusts);
    let ada = app.signed_up("ada").await;
    eventually("it is refused, and that is noted", async || {
        outbox(&app.database).await == [(1, false, true, true)]
    })
    .await;
    mails.set(Mood::Takes);
    eventually("it is sent", async || {
        app.clock.advance(Duration::from_secs(5));
        outbox(&app.database).await == [(2, true, false, false)]
    })
    .await;
    mails.take(&ada.email, VERIFY).await;
}

/// Leases keep replicas from sending the same mail.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_send_every_mail_once() {
    const MANY: usize = 40;
    let mails = MailServer::start().await;
    let key = key();
    shared::program::install_cryptography();
    let database = shared::testing::database(&auth_service::SCHEMA).await;
    let clock = shared::testing::ManualClock::new();
    let app = TestApp::start_on(database, clock.clone(), &key, &[]).await;
    for n in 0..MANY {
        app.signed_up(&format!("user{n}")).await;
    }
    let flags = mails.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let replica = async || {
        let pool = Database::new(app.database.app.clone(), 8);
        App::open(config(&key, &flags), pool, clock.shared()).await.unwrap()
    };
    let (one, two) = (replica().await, replica().await);
    tokio::select! {
        () = async { tokio::join!(one.keep(), two.keep()); } => unreachable!("they keep on"),
        () = eventually("all are sent", async || {
            outbox(&app.database).await.iter().all(|mail| mail.1)
        }) => {}
    }
    assert_eq!(mails.offered(), MANY);
    let ids: std::collections::HashSet<_> =
        mails.mails().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), MANY);
}

#[tokio::test]
async fn what_people_chose_is_neither_a_header_nor_markup() {
    const NAME: &str = "<script>a()</script> \"&' Bcc: eve@example.org";
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    let request = SignUpRequest {
        email: "o'hara&sons@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: NAME.to_owned(),
        ..SignUpRequest::default()
    };
    app.auth().sign_up(request.clone()).await.unwrap();
    let mail = mails.take(&request.email, VERIFY).await;
    assert!(!mail.raw.contains("script"), "a stranger's words: {}", mail.raw);
    let token = VerifyEmailRequest { token: mail.token() };
    app.auth().verify_email(token).await.unwrap();
    let reset = RequestPasswordResetRequest { email: request.email.clone() };
    app.auth().request_password_reset(reset).await.unwrap();
    let mail = mails.take(&request.email, "Set a new password").await;
    assert_eq!(mail.header("Bcc"), None);
    assert!(mail.text().starts_with(&format!("Hello {NAME},\n")), "{}", mail.text());
    let html = mail.html();
    assert!(html.contains("&lt;script&gt;a()&lt;/script&gt; &quot;&amp;&#39; Bcc"), "{html}");
    assert!(!html.contains("<script"), "{html}");

    // Not even a row that no sign-up could make becomes a header.
    let sent = mails.offered();
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query(
        "update data.outbox set sent_at = null, next_attempt_at = created_at, attempts = 0,
            recipient = E'eve@example.org\r\nBcc: all@example.org',
            kind = 'email-changed', parameters = '{}'",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    eventually("they are given up", async || {
        app.clock.advance(Duration::from_secs(5));
        outbox(&app.database).await.iter().all(|mail| *mail == (1, false, false, false))
    })
    .await;
    assert_eq!(mails.offered(), sent);
}

#[tokio::test]
async fn a_changed_password_is_told_to_its_owner() {
    let mails = MailServer::start().await;
    let app = start(&mails.flags()).await;
    let ada = app.signed_up("ada").await;
    app.tamper("update data.users set email_verified = true").await;
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "copper-Violin-44".to_owned(),
        ..ChangePasswordRequest::default()
    };
    app.account(&ada.credentials.access_token).change_password(change).await.unwrap();
    mails.take(&ada.email, "Your password was changed").await;
}

/// Over TLS with a password, begun by STARTTLS or spoken from the first byte; and
/// never in clear when TLS was asked for.
#[tokio::test]
async fn a_mail_server_is_spoken_to_over_tls() {
    for mails in [MailServer::start_with_tls().await, MailServer::start_wrapped().await] {
        let app = start(&mails.flags_with_tls()).await;
        let ada = app.signed_up("ada").await;
        let mail = mails.take(&ada.email, VERIFY).await;
        assert!(mail.over_tls);
        // "\0duet\0p@ss" in base64.
        assert_eq!(mail.credentials.as_deref(), Some("AGR1ZXQAcEBzcw=="));
    }

    let clear = MailServer::start().await;
    let app = start(&clear.flags_with_tls()).await;
    app.signed_up("ada").await;
    eventually("it is tried", async || outbox(&app.database).await[0].0 == 1).await;
    assert_eq!(clear.offered(), 0);
}

#[tokio::test]
async fn mails_can_be_put_into_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("mail");
    let flags = [
        format!("--mail-dir={}", folder.display()),
        "--mail-from=duet@mail.test".to_owned(),
        "--public-url=https://page.test".to_owned(),
    ];
    let app = start(&flags).await;
    app.signed_up("ada").await;
    eventually("it is there", async || outbox(&app.database).await[0].1).await;
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    let [file] = &files[..] else { panic!("one file: {files:?}") };
    let name = file.file_name().into_string().unwrap();
    assert!(name.ends_with(".eml"));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let mail = std::fs::read_to_string(file.path()).unwrap();
    assert!(mail.contains("To: ada@example.org\r\n") && mail.contains("dm_"), "{mail}");
    let log = telemetry::capture().text();
    let line = log.lines().find(|line| line.contains(&name)).unwrap();
    assert!(line.contains("\"verify\"") && !line.contains("dm_"), "{line}");
}

/// Every fault is named, and no password shown.
#[test]
fn mail_is_configured_as_a_whole() {
    let faults = |flags: &[&str]| config(&key(), flags).mail.faults().join("\n");
    assert_eq!(faults(&[]), "");
    let (from, page) = ("--mail-from=duet@mail.test", "--public-url=https://page.test");
    assert_eq!(faults(&["--mail-dir=mail", from, page, "--enumeration=strict"]), "");
    assert_eq!(faults(&["--smtp-url=smtps://duet:hunter2@mail.test", from, page]), "");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--mail-dir=mail"], &["AUTH_MAIL_FROM", "AUTH_PUBLIC_URL"]),
        (&["--smtp-url=smtps://mail.test", "--mail-dir=mail"], &["AUTH_SMTP_URL", "AUTH_MAIL_DIR"]),
        (&["--smtp-url=http://a:hunter2@b", from, page], &["AUTH_SMTP_URL"]),
        (&["--smtp-url=smtp://a:hunter2@b?tls=none", from, page], &["AUTH_SMTP_URL"]),
        (&["--mail-dir=mail", "--mail-from=nobody", page], &["AUTH_MAIL_FROM"]),
        (&["--mail-dir=mail", from, "--public-url=ftp://page.test"], &["AUTH_PUBLIC_URL"]),
        (&["--mail-dir=mail", from, "--public-url=https://page.test/#x"], &["AUTH_PUBLIC_URL"]),
        (&["--enumeration=strict"], &["AUTH_ENUMERATION"]),
    ];
    for (flags, names) in cases {
        let said = faults(flags);
        assert!(names.iter().all(|name| said.contains(name)), "{flags:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
