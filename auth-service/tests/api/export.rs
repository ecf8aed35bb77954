//! Taking out everything that is known of a user: all of it, nothing of anybody
//! else, and never a part that looks like all.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{StreamExt as _, stream};
use proto::{
    auth::v1::{
        ExportUserRequest, ExportUserResponse, GetUserRequest, ListSessionsRequest, SignOutRequest,
    },
    task::v1::{
        ExportTasksRequest, ExportTasksResponse, ImportTasksRequest, ImportTasksResponse,
        TransferFormat,
        transfer_service_server::{TransferService, TransferServiceServer},
    },
};
use serde_json::Value;
use shared::{
    interceptor::Identity,
    server::{Limits, Server},
    testing::eventually,
};
use tokio::net::TcpListener;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::harness::{PASSWORD, TestApp, Told as _, minutes};

/// The most that a piece has.
const PIECE_BYTES: usize = 64 * 1024;

type Piece = Result<Vec<u8>, Status>;

/// Stands for task-service: sends what it was told to, to whoever may read.
#[derive(Clone, Default)]
struct Tasks {
    pieces: Arc<Mutex<Vec<Piece>>>,
    sent: Arc<AtomicUsize>,
    /// Who acted for whom, by the tokens that came.
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

#[tonic::async_trait]
impl TransferService for Tasks {
    type ExportTasksStream = stream::BoxStream<'static, Result<ExportTasksResponse, Status>>;

    async fn export_tasks(
        &self,
        request: Request<ExportTasksRequest>,
    ) -> Result<Response<Self::ExportTasksStream>, Status> {
        let identity = Identity::with_scope(&request, "tasks:read");
        let identity = identity.map_err(|failure| failure.into_status("duet.task"))?;
        let writes = Identity::with_scope(&request, "tasks:write").is_ok();
        let is_owner = identity.user().is_ok();
        assert!(!writes && !is_owner, "the token is for reading, in the hands of a service");
        assert_eq!(request.get_ref().format(), TransferFormat::Json);
        let header = request.metadata().get("authorization").unwrap().to_str().unwrap();
        let claims = payload(header.strip_prefix("Bearer ").unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.asked.lock().unwrap().push((text(&claims["act"]["client_id"]), text(&claims["sub"])));
        let (pieces, sent) = (self.pieces.lock().unwrap().clone(), self.sent.clone());
        let pieces = pieces.into_iter().map(move |piece| {
            sent.fetch_add(1, Ordering::SeqCst);
            piece.map(|data| ExportTasksResponse { data })
        });
        Ok(Response::new(stream::iter(pieces).boxed()))
    }

    async fn import_tasks(
        &self,
        _: Request<ImportTasksRequest>,
    ) -> Result<Response<ImportTasksResponse>, Status> {
        Err(Status::unimplemented("nothing is written"))
    }
}

fn payload(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

impl Tasks {
    fn with(pieces: impl IntoIterator<Item = Result<Vec<u8>, Status>>) -> Self {
        let tasks = Self::default();
        *tasks.pieces.lock().unwrap() = pieces.into_iter().collect();
        tasks
    }

    /// A service that was told of these tasks, and has what it believes from us.
    async fn beside(self, flags: &[&str]) -> TestApp {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = TestApp::start_with(&[&["--task-url", &url], flags].concat()).await;
        let verifier = app.verifier("task-service").await;
        let server = Server::new(Limits::default())
            .descriptors(proto::DESCRIPTORS)
            .authenticated(TransferServiceServer::new(self), &verifier);
        tokio::spawn(async move { server.serve(listener, std::future::pending()).await });
        app
    }
}

async fn begin(app: &TestApp, token: &str) -> Result<Streaming<ExportUserResponse>, Status> {
    let request = ExportUserRequest { name: String::new() };
    Ok(app.account(token).export_user(request).await?.into_inner())
}

/// What came, and how it ended.
async fn received(app: &TestApp, token: &str) -> (Vec<u8>, Result<(), Status>) {
    let mut stream = begin(app, token).await.unwrap();
    let mut document = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(piece)) => {
                assert!((1..=PIECE_BYTES).contains(&piece.data.len()));
                document.extend(piece.data);
            }
            Ok(None) => return (document, Ok(())),
            Err(status) => return (document, Err(status)),
        }
    }
}

/// The document that the owner takes out.
pub(crate) async fn exported(app: &TestApp, token: &str) -> Value {
    let (document, ended) = received(app, token).await;
    ended.unwrap();
    serde_json::from_slice(&document).unwrap()
}

#[tokio::test]
async fn an_export_is_what_the_api_shows_and_of_nobody_else() {
    let app =
        Tasks::with([Ok(b"{\"tasks\":[{\"title\":\"T\xc3".to_vec()), Ok(b"\xa9\"}]}\n".to_vec())]);
    let asked = app.asked.clone();
    let app = app.beside(&[]).await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    app.clock.advance(minutes(1));
    let second = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let sign_out = SignOutRequest { refresh_token: second.refresh_token };
    app.auth().sign_out(sign_out).await.unwrap();

    let document = exported(&app, ada.token()).await;
    let mut account = app.account(ada.token());
    let user =
        account.get_user(GetUserRequest::default()).await.unwrap().into_inner().user.unwrap();
    let said = &document["account"];
    assert_eq!(
        [&said["name"], &said["email"], &said["display_name"]],
        [&user.name, &user.email, &user.display_name]
    );
    let shown = account.list_sessions(ListSessionsRequest::default()).await.unwrap().into_inner();
    let sessions = document["sessions"].as_array().unwrap();
    let live: Vec<_> = sessions.iter().filter(|it| it.get("end_time").is_none()).collect();
    assert_eq!((sessions.len(), live.len(), shown.sessions.len()), (2, 1, 1));
    assert_eq!(live[0]["name"], shown.sessions[0].name);
    assert_eq!(live[0]["user_agent"], shown.sessions[0].user_agent);
    assert_eq!(sessions[0]["name"], second.session);
    let happened = app.all_activity(ada.token()).await;
    assert_eq!(happened[0].kind, "user.exported");
    let activity = document["activity"].as_array().unwrap();
    assert_eq!(activity.len(), happened.len());
    for (said, shown) in activity.iter().zip(&happened) {
        let session = said.get("session").and_then(Value::as_str).unwrap_or_default();
        let what = [&said["kind"], &said["address_prefix"], &said["device_label"]];
        assert_eq!(what, [&shown.kind, &shown.address_prefix, &shown.device_label]);
        assert_eq!(session, shown.session);
    }
    assert_eq!(document["tasks"], serde_json::json!({ "tasks": [{ "title": "Té" }] }));
    assert_eq!((&document["format"], &document["version"]), (&"duet-user".into(), &1.into()));
    let id = ada.name.strip_prefix("users/").unwrap().to_owned();
    assert_eq!(*asked.lock().unwrap(), [("auth-service".to_owned(), id)]);

    let text = document.to_string();
    for foreign in [bob.name.as_str(), &bob.email, &bob.credentials.session] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    for secret in ["argon2", "password", ada.token(), &ada.credentials.refresh_token] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn without_task_service_the_export_says_that_tasks_are_missing() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let document = exported(&app, ada.token()).await;
    assert_eq!(document["tasks"], Value::Null);
    assert!(document.as_object().unwrap().contains_key("tasks"));
    assert!(document["tasks_missing"].as_str().unwrap().contains("tasks"));
}

/// Whatever goes wrong over there, in the middle too: no part of a document can
/// be taken for a whole one.
#[tokio::test]
async fn an_export_that_fails_ends_in_an_error_and_does_not_parse() {
    let whole = || Ok(b"{\"tasks\":[]}".to_vec());
    for pieces in [
        vec![],
        vec![Err(Status::unavailable("down"))],
        vec![Ok(b"{\"tasks\":[".to_vec()), Err(Status::deadline_exceeded("slow"))],
        vec![whole(), Err(Status::internal("after all"))],
        vec![whole(), Err(Status::unauthenticated("who"))],
    ] {
        let app = Tasks::with(pieces).beside(&[]).await;
        let ada = app.signed_up("ada").await;
        let (document, ended) = received(&app, ada.token()).await;
        ended.unwrap_err().is(Code::Unavailable, "DATABASE_UNAVAILABLE");
        assert!(serde_json::from_slice::<Value>(&document).is_err());
    }
    // And where nobody is at home.
    let app = TestApp::start_with(&["--task-url", "http://127.0.0.1:1"]).await;
    let ada = app.signed_up("ada").await;
    let (document, ended) = received(&app, ada.token()).await;
    ended.unwrap_err().is(Code::Unavailable, "DATABASE_UNAVAILABLE");
    assert!(serde_json::from_slice::<Value>(&document).is_err());
}

/// Ten thousand tasks with long notes are 40 MB; no more of them is fetched than
/// was received and fits into a few buffers.
#[tokio::test]
async fn a_large_export_is_fetched_no_faster_than_it_is_received() {
    let mut file = b"{\"tasks\":[".to_vec();
    for number in 0..10_000 {
        let comma = if number == 0 { "" } else { "," };
        let notes = "n".repeat(4000);
        file.extend(format!("{comma}{{\"id\":{number},\"notes\":\"{notes}\"}}").bytes());
    }
    file.extend(b"]}");
    let tasks = Tasks::with(file.chunks(PIECE_BYTES).map(|piece| Ok(piece.to_vec())));
    let (sent, all) = (tasks.sent.clone(), tasks.pieces.lock().unwrap().len());
    assert!(all > 600);
    let app = tasks.beside(&[]).await;
    let ada = app.signed_up("ada").await;
    let mut stream = begin(&app, ada.token()).await.unwrap();
    let (mut document, mut pieces) = (Vec::with_capacity(file.len() + 4096), 0);
    while let Some(piece) = stream.message().await.unwrap() {
        let ahead = sent.load(Ordering::SeqCst).saturating_sub(pieces);
        assert!(ahead < 100, "{ahead} pieces are on their way");
        document.extend(piece.data);
        pieces += 1;
    }
    assert_eq!(sent.load(Ordering::SeqCst), all);
    let document: Value = serde_json::from_slice(&document).unwrap();
    let tasks = document["tasks"]["tasks"].as_array().unwrap();
    assert_eq!((tasks.len(), &tasks[9999]["id"]), (10_000, &9999.into()));
}

/// Whoever begins one and receives nothing holds up nobody, and begins no second one.
#[tokio::test]
async fn a_user_takes_out_one_export_at_a_time() {
    let endless = (0..400).map(|_| Ok(vec![b' '; PIECE_BYTES]));
    let app = Tasks::with(endless).beside(&[]).await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    let unread = begin(&app, ada.token()).await.unwrap();
    let phone = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let second = begin(&app, &phone.access_token).await.unwrap_err();
    second.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert!(second.get_details_retry_info().unwrap().retry_delay.is_some());
    let foreign = begin(&app, bob.token()).await.unwrap();
    drop(unread);
    eventually("the turn is free again", async || begin(&app, ada.token()).await.is_ok()).await;
    drop(foreign);
}

/// Many pages of each part, in their order and each once.
#[tokio::test]
async fn an_export_has_every_session_and_everything_that_happened() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let id = ada.name.strip_prefix("users/").unwrap();
    let mut superuser = {
        use sqlx::ConnectOptions as _;
        app.database.superuser.connect().await.unwrap()
    };
    for statement in [
        "insert into data.sessions (user_id, id, rotated_at, user_agent, amr, auth_time, created_at,
                                    expires_at, ends_at, ended_at)
         select $1::uuid, gen_random_uuid(), now(), n::text, '{pwd}', now(), now(), now(), now(), now()
         from generate_series(1, 450) n",
        "select data.audit($1::uuid, 'n' || n, '{}', null, null, now()) from generate_series(1, 450) n",
    ] {
        sqlx::query(statement).bind(id).execute(&mut superuser).await.unwrap();
    }
    let document = exported(&app, ada.token()).await;
    let mut named: Vec<_> =
        document["sessions"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    named.dedup();
    assert_eq!(named.len(), 451);
    let kinds = document["activity"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.filter_map(|it| it["kind"].as_str()).collect();
    let expected: Vec<String> = (1..=450).rev().map(|n| format!("n{n}")).collect();
    assert_eq!(kinds[0], "user.exported");
    assert_eq!(kinds[1..451], expected);
    assert_eq!(kinds[451..], ["sign_up"]);
}
