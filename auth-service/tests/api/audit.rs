//! The audit log: what operators read of it, and that tampering with it shows.

use std::{collections::HashMap, process::Command};

use auth_service::audit::{self, Broken, Fault, Verified};
use proto::auth::v1::{AuditEvent, ListAuditEventsRequest};
use sqlx::ConnectOptions as _;
use tonic::Code;
use uuid::Uuid;

use crate::{
    harness::{PASSWORD, Person, TestApp, Told as _},
    operators::suspend,
};

/// A log of several chains: Ada's has six entries.
async fn logged() -> (TestApp, Person, Person) {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let ada = app.signed_up("ada").await;
    app.signed_up("bob").await;
    for _ in 0..4 {
        app.sign_in(&ada.email, PASSWORD).await.unwrap();
    }
    app.service("reporter", &["tasks:read"]).await;
    let mut admin = app.admin(&operator.credentials.access_token);
    suspend(&mut admin, &ada.name).await.unwrap();
    (app, operator, ada)
}

fn id(person: &Person) -> Uuid {
    person.name.strip_prefix("users/").unwrap().parse().unwrap()
}

async fn verify(app: &TestApp) -> Result<Verified, Broken> {
    audit::verify(&app.own_database()).await.unwrap()
}

#[tokio::test]
async fn an_operator_reads_the_log_newest_first() {
    let (app, operator, ada) = logged().await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let (mut events, mut page_token) = (Vec::<AuditEvent>::new(), String::new());
    loop {
        let request = ListAuditEventsRequest { parent: ada.name.clone(), page_size: 4, page_token };
        let page = admin.list_audit_events(request).await.unwrap().into_inner();
        events.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [6, 5, 4, 3, 2, 1]);
    let newest = &events[0];
    assert_eq!((newest.kind.as_str(), &newest.actor), ("admin.user.suspended", &operator.name));
    assert_eq!(newest.details, HashMap::from([("reason".to_owned(), "spam".to_owned())]));
    assert_eq!((newest.address_prefix.as_str(), newest.hash.len()), ("127.0.0.0/24", 64));
    assert!(events.iter().all(|event| event.user == ada.name && event.create_time.is_some()));
    assert_eq!(events[1].actor, ada.name);

    let own = admin.list_audit_events(ListAuditEventsRequest::default()).await.unwrap();
    let own = own.into_inner().events;
    assert_eq!((own[0].kind.as_str(), own[0].user.as_str()), ("service_account.created", ""));
    let foreign = ListAuditEventsRequest {
        parent: operator.name.clone(),
        page_token: {
            let request =
                ListAuditEventsRequest { parent: ada.name, page_size: 1, ..Default::default() };
            admin.list_audit_events(request).await.unwrap().into_inner().next_page_token
        },
        ..Default::default()
    };
    let refused = admin.list_audit_events(foreign).await.unwrap_err();
    refused.is(Code::InvalidArgument, "PAGE_TOKEN_INVALID");
    let request = ListAuditEventsRequest { parent: "ada".to_owned(), ..Default::default() };
    assert_eq!(admin.list_audit_events(request).await.unwrap_err().fields(), ["parent"]);
}

#[tokio::test]
async fn an_honest_log_holds() {
    let (app, ..) = logged().await;
    // Olga: made, sign-in; Ada: 6; Bob: 1; the service: 1.
    assert_eq!(verify(&app).await, Ok(Verified { chains: 4, entries: 10, deleted: 0 }));
}

/// Whoever has all rights on the database and changes the log is found out, and
/// the first entry that does not hold is named.
#[tokio::test]
async fn whatever_was_tampered_with_is_found() {
    const ADA: &str = "(select user_id from data.users where email = 'ada@example.org')";
    let broken = [
        ("update data.audit_events set actor = '' where sequence = 2 and", 2, Fault::Changed),
        (
            "update data.audit_events set kind = 'sign_out' where sequence = 3 and",
            3,
            Fault::Changed,
        ),
        (
            "update data.audit_events set details = '{\"a\": 1}' where sequence = 1 and",
            1,
            Fault::Changed,
        ),
        (
            "update data.audit_events set created_at = created_at - interval '1 microsecond'
             where sequence = 4 and",
            4,
            Fault::Changed,
        ),
        (
            "update data.audit_events set session_id = null where sequence = 2 and",
            2,
            Fault::Changed,
        ),
        (
            "update data.audit_events set hash = sha256(hash) where sequence = 5 and",
            5,
            Fault::Changed,
        ),
        ("delete from data.audit_events where sequence = 3 and", 4, Fault::Missing),
        ("delete from data.audit_events where sequence = 1 and", 2, Fault::Missing),
        ("delete from data.audit_events where sequence = 6 and", 6, Fault::Ended),
        ("delete from data.audit_events where", 6, Fault::Ended),
        ("delete from data.audit_heads where", 1, Fault::Surplus),
        ("update data.audit_heads set sequence = 5 where", 6, Fault::Surplus),
        ("update data.audit_heads set hash = sha256(hash) where", 6, Fault::Ended),
        // Two entries change places.
        (
            "update data.audit_events e set kind = o.kind, hash = o.hash, actor = o.actor,
                created_at = o.created_at, session_id = o.session_id, details = o.details,
                device_label = o.device_label
             from data.audit_events o where o.user_id = e.user_id
                and (e.sequence, o.sequence) in ((3, 4), (4, 3)) and e.",
            3,
            Fault::Changed,
        ),
    ];
    let (app, _, ada) = logged().await;
    for (statement, sequence, fault) in broken {
        app.tamper("create table public.events as select * from data.audit_events").await;
        app.tamper("create table public.heads as select * from data.audit_heads").await;
        let statement = format!("{statement} user_id = {ADA}").replace("e. user_id", "e.user_id");
        app.tamper(&statement).await;
        assert_eq!(
            verify(&app).await,
            Err(Broken { user: id(&ada), sequence, fault }),
            "{statement}"
        );
        app.restore().await;
        verify(&app).await.unwrap();
    }
}

impl TestApp {
    /// Puts the log back as it was copied.
    async fn restore(&self) {
        let mut connection = self.database.superuser.connect().await.unwrap();
        for statement in [
            "truncate data.audit_events, data.audit_heads",
            "insert into data.audit_events select * from public.events",
            "insert into data.audit_heads select * from public.heads",
            "drop table public.events, public.heads",
        ] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
    }
}

/// Chains that are longer than what one statement checks are followed from one
/// to the next.
#[tokio::test]
async fn long_chains_are_checked_to_their_end() {
    let (app, _, ada) = logged().await;
    app.tamper(&format!(
        "select set_config('app.user_id', '{0}', false), data.audit('{0}', 'sign_in', '{{}}', null,
            null, now()) from generate_series(1, 4500)",
        id(&ada)
    ))
    .await;
    assert_eq!(verify(&app).await, Ok(Verified { chains: 4, entries: 4510, deleted: 0 }));
    for sequence in [2001, 4400] {
        app.tamper("create table public.events as select * from data.audit_events").await;
        app.tamper("create table public.heads as select * from data.audit_heads").await;
        app.tamper(&format!(
            "update data.audit_events set kind = 'x' where user_id = '{}' and sequence = {sequence}",
            id(&ada)
        ))
        .await;
        let found = Broken { user: id(&ada), sequence, fault: Fault::Changed };
        assert_eq!(verify(&app).await, Err(found));
        app.restore().await;
    }
}

/// The program tells by its exit code, and names the entry.
#[tokio::test]
async fn the_program_verifies_the_log() {
    let (app, _, ada) = logged().await;
    let run = async || {
        let url = app.database.app.to_url_lossy().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
        command.args(["audit", "verify"]).env_clear().env("AUTH_DATABASE_URL", url);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let holds =
        "The audit log holds: 4 chains, 10 entries; 0 more chains went with their accounts.\n";
    assert_eq!(run().await, (Some(0), holds.to_owned()));
    app.tamper("update data.audit_events set kind = 'sign_out' where sequence = 3").await;
    let (code, said) = run().await;
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("entry 3 of {} is not what it was", ada.name)), "{said}");
}
