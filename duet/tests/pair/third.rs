//! A third service, `shared/examples/notes`, is used with a token of
//! auth-service: what both services share is enough for another one.

use notes::{EchoRequest, notes_service_client::NotesServiceClient};
use shared::verify::Rules;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{Bearer, Up, channel, folder, sign_up};

#[tokio::test]
async fn a_third_service_knows_who_calls() {
    let data = folder();
    let up = Up::start_with(data.path(), &[("AUTH_AUDIENCE", "task-service,notes")]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let rules = Rules {
        issuer: "http://localhost:50051".to_owned(),
        audience: "notes".to_owned(),
        max_lifetime: std::time::Duration::from_secs(3600),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let auth = channel(&up.auth);
    let service = tokio::spawn(async move {
        notes::serve(rules, auth, listener, async { drop(stopped.await) }).await
    });
    let session = sign_up(&mut up.auth(), "ada@example.org").await;
    let request = || EchoRequest { text: "hello".to_owned() };
    let client = || {
        let bearer = Bearer(session.access_token.clone());
        NotesServiceClient::with_interceptor(channel(&address), bearer)
    };
    // It fetches its keys in the background.
    shared::testing::eventually("the third service has the keys", async || {
        client().echo(request()).await.is_ok()
    })
    .await;
    let said = client().echo(request()).await.unwrap().into_inner().text;
    assert_eq!(said, "ada@example.org: hello");
    let mut stranger = NotesServiceClient::new(channel(&address));
    let refused = stranger.echo(request()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TOKEN_MISSING");
    drop(stop);
    service.await.unwrap().unwrap();
    up.stop().await;
}
