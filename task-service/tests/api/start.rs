//! How the service starts: its configuration, and running all by itself.

use std::ffi::OsString;

use proto::task::v1::task_service_client::TaskServiceClient;
use shared::{
    clock::{Clock as _, SystemClock},
    config, program, rng,
    secret::Key,
    testing::{self, TestIssuer, eventually},
};
use task_service::{SCHEMA, config::Config};
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{Request, transport::Endpoint};

fn read(flags: &[&str]) -> Result<Config, config::Refusal> {
    config::read(["task-service"].iter().chain(flags).map(OsString::from))
}

/// E6: bad configuration is refused before anything happens, every bad setting
/// at once, and no secret is shown.
#[test]
fn every_bad_setting_is_named_at_once() {
    let refusal = read(&[]).unwrap_err().to_string();
    for missing in ["TASK_DATABASE_URL is missing", "TASK_PAGE_TOKEN_KEY is missing"] {
        assert!(refusal.contains(missing), "{refusal}");
    }
    let refusal = read(&[
        "--database-url=hunter2",
        "--page-token-key=hunter2",
        "--auth-url=ftp://auth",
        "--service-secret-file=/nowhere",
        "--jwks-url=auth",
        "--max-in-flight=0",
        "--max-connections=0",
        "--max-connections-per-address=0",
        "--call-deadline=0s",
        "--database-connections=0",
        "--max-watches-per-user=0",
        "--max-watches=0",
        "--watch-poll=0s",
        "--issuer=",
        "--audience=",
        "--max-access-token-ttl=0s",
        "--keys-refresh=0s",
        "--trust-max-staleness=0s",
        "--tls-cert-file=/nowhere",
        "--tls-key-file=/nowhere",
    ])
    .unwrap_err()
    .to_string();
    for named in [
        "TASK_DATABASE_URL",
        "TASK_PAGE_TOKEN_KEY",
        "TASK_AUTH_URL",
        "TASK_SERVICE_SECRET",
        "TASK_JWKS_URL",
        "TASK_MAX_IN_FLIGHT",
        "TASK_MAX_CONNECTIONS must",
        "TASK_MAX_CONNECTIONS_PER_ADDRESS",
        "TASK_CALL_DEADLINE",
        "TASK_DATABASE_CONNECTIONS",
        "TASK_MAX_WATCHES_PER_USER",
        "TASK_MAX_WATCHES must",
        "TASK_WATCH_POLL",
        "TASK_ISSUER",
        "TASK_AUDIENCE",
        "TASK_MAX_ACCESS_TOKEN_TTL",
        "TASK_KEYS_REFRESH",
        "TASK_TRUST_MAX_STALENESS",
        "TASK_TLS_CERT_FILE",
    ] {
        assert!(refusal.contains(named), "{named}: {refusal}");
    }
    assert!(!refusal.contains("hunter2"), "{refusal}");
    for command in [["migrate"], ["health"]] {
        let refusal = read(&command).unwrap_err().to_string();
        assert!(!refusal.contains("TASK_PAGE_TOKEN_KEY"), "{refusal}");
    }
}

/// The service as its program runs it: while auth-service is away it starts on
/// the keys that it remembers, and answers; asked to stop, it does.
#[tokio::test]
async fn it_starts_on_remembered_keys_while_auth_is_away() {
    program::install_cryptography();
    let database = testing::database(&SCHEMA).await;
    let issuer = TestIssuer::new();
    let now = SystemClock.now();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("keys.json");
    let keys = serde_json::json!({ "fetched_at": now, "keys": [issuer.jwk()] });
    std::fs::write(&cache, keys.to_string()).unwrap();

    let socket = database.app.get_socket().unwrap().display().to_string();
    let url = format!(
        "postgres://tasks_app@localhost:{}/{}?host={socket}",
        database.app.get_port(),
        database.name
    );
    let config = read(&[
        "--database-url",
        &url,
        "--page-token-key",
        &Key::random().to_base64(),
        "--issuer",
        issuer.name(),
        "--auth-url=http://127.0.0.1:1",
        "--key-cache-file",
        &cache.display().to_string(),
    ])
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async { drop(stopped.await) };
    let served = tokio::spawn(task_service::serve(config, listener, until));

    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let token = issuer.token(&issuer.claims(rng::uuid_v4(), "task-service", now));
    let list = || {
        let mut request = Request::new(proto::task::v1::ListTasksRequest::default());
        let header = format!("Bearer {token}").parse().expect("a header value");
        request.metadata_mut().insert("authorization", header);
        let mut client = TaskServiceClient::new(channel.clone());
        async move { client.list_tasks(request).await.is_ok() }
    };
    eventually("the service answers", list).await;
    stop.send(()).unwrap();
    served.await.unwrap().expect("it ends well");
}
