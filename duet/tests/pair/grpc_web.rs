//! grpc-web on one origin for both services, over HTTP/1.1 and HTTP/2, spoken
//! by hand: a frame in, frames and trailers out.

use prost::Message as _;
use proto::{
    auth::v1::{SignInRequest, SignInResponse},
    task::v1::{CreateTaskRequest, CreateTaskResponse, Task},
};
use reqwest::{Client, Response};

use crate::harness::{PASSWORD, Up, folder, sign_up};

/// A message in its frame.
pub(crate) fn frame(message: &impl prost::Message) -> Vec<u8> {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0][..], &length, &body].concat()
}

/// The message and the trailers of an answer.
async fn answer(response: Response) -> (Vec<u8>, String) {
    let bytes = response.bytes().await.unwrap();
    let (mut message, mut trailers, mut at) = (Vec::new(), String::new(), 0);
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        let part = &bytes[at + 5..at + 5 + length];
        if bytes[at] & 0x80 == 0 {
            message = part.to_vec();
        } else {
            trailers = String::from_utf8(part.to_vec()).unwrap();
        }
        at += 5 + length;
    }
    (message, trailers)
}

#[tokio::test]
async fn a_page_reaches_both_services_on_one_origin() {
    let data = folder();
    let up = Up::start(data.path()).await;
    sign_up(&mut up.auth(), "ada@example.org").await;
    let origin = format!("http://{}", up.web);
    let clients = [
        Client::builder().no_proxy().http1_only().build().unwrap(),
        Client::builder().no_proxy().http2_prior_knowledge().build().unwrap(),
    ];
    for client in clients {
        let call = |path: &str, body: Vec<u8>, token: &str| {
            client
                .post(format!("{origin}/{path}"))
                .header("content-type", "application/grpc-web+proto")
                .header("x-grpc-web", "1")
                .header("origin", &origin)
                .header("authorization", format!("Bearer {token}"))
                .body(body)
                .send()
        };
        let request = SignInRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            refresh_token_transport: 2,
            ..SignInRequest::default()
        };
        let response = call("auth.v1.AuthService/SignIn", frame(&request), "").await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["access-control-allow-origin"], origin.as_str());
        let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("grpc-status-details-bin"), "{exposed}");
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.starts_with("duet-rt=rt1.") && cookie.contains("HttpOnly"), "{cookie}");
        let (message, trailers) = answer(response).await;
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
        let credentials = SignInResponse::decode(&message[..]).unwrap().credentials.unwrap();
        assert_eq!(credentials.refresh_token, "");

        let task = Task { title: "From a page".to_owned(), ..Task::default() };
        let request = CreateTaskRequest { task: Some(task), ..CreateTaskRequest::default() };
        let path = "task.v1.TaskService/CreateTask";
        let (message, trailers) =
            answer(call(path, frame(&request), &credentials.access_token).await.unwrap()).await;
        assert!(trailers.contains("grpc-status:0"), "{trailers}");
        let made = CreateTaskResponse::decode(&message[..]).unwrap().task.unwrap();
        assert_eq!(made.title, "From a page");

        let refused = call(path, frame(&request), "junk").await.unwrap();
        assert_eq!(refused.status(), 200);
        assert_eq!(refused.headers()["grpc-status"], "16");

        let page = client.get(&origin).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("'none'"));
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
        let keys = client.get(format!("{origin}/.well-known/jwks.json")).send().await.unwrap();
        assert_eq!(keys.status(), 200);
    }
    up.stop().await;
}
