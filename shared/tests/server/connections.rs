//! What a peer can do to the listener without making a proper call.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Full;
use proto::auth::v1::token_service_server::TokenServiceServer;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use shared::server::{Limits, tls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;

use crate::harness::{VERIFY, ask, ask_over, framed, in_time, post, start, start_with, tell};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// Waits until the server has closed the connection.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good as an end.
    let _ = in_time(stream.read_to_end(&mut rest)).await;
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A request to the obedient service that leaves its body open.
fn opening(stream: u32) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", VERIFY),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
    ] {
        // A literal that is not indexed (RFC 7541, section 6.2.2).
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    const END_HEADERS: u8 = 4;
    frame(HEADERS, END_HEADERS, stream, &block)
}

/// Opens an HTTP/2 connection by hand.
async fn raw(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    stream
}

/// The next frame: its kind, its stream and its payload.
async fn next<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> Option<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    in_time(stream.read_exact(&mut head)).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    in_time(stream.read_exact(&mut payload)).await.ok()?;
    Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

/// The error code of the GOAWAY that ends the flood, and the resets before it.
async fn goaway(mut stream: TcpStream, flood: Vec<u8>) -> (u32, usize) {
    let (mut reading, mut writing) = stream.split();
    let mut resets = 0;
    let read = async {
        loop {
            match next(&mut reading).await.expect("a GOAWAY") {
                (GOAWAY, _, payload) => {
                    break u32::from_be_bytes(payload[4..8].try_into().unwrap());
                }
                (RST_STREAM, ..) => resets += 1,
                _ => {}
            }
        }
    };
    let (code, _) = tokio::join!(read, writing.write_all(&flood));
    (code, resets)
}

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn hasty() -> Limits {
    Limits { first_bytes: Duration::from_millis(100), ..Limits::default() }
}

#[tokio::test]
async fn whoever_says_nothing_is_hung_up_on() {
    let server = start(hasty()).await;
    for beginning in ["", "PRI * HTTP/2.0", "POST", "GET / HTTP/1.1\r\nhost: localhost\r\nslow: "] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn dripping_bytes_do_not_buy_time() {
    let server = start(hasty()).await;
    let stream = server.connect().await;
    let (mut reading, mut writing) = stream.into_split();
    let drip = async {
        for byte in &PREFACE[..23] {
            if writing.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    drip.await;
    let mut rest = Vec::new();
    let _ = in_time(reading.read_to_end(&mut rest)).await;
}

#[tokio::test]
async fn a_peer_that_does_not_answer_pings_is_hung_up_on() {
    let limits = Limits {
        keepalive_interval: Duration::from_millis(50),
        keepalive_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut stream = raw(server.address).await;
    closed(&mut stream).await;
}

/// Opens so many streams at once. Yields the announced limit, how many streams
/// were refused, and whether the connection was ended for it.
async fn crowd(address: SocketAddr, streams: u32, refusals: usize) -> (Vec<u8>, usize, bool) {
    let mut stream = raw(address).await;
    let flood: Vec<u8> = (0..streams).flat_map(|n| opening(2 * n + 1)).collect();
    let (mut reading, mut writing) = stream.split();
    let read = async {
        let (mut announced, mut refused) = (Vec::new(), 0);
        loop {
            match next(&mut reading).await {
                Some((SETTINGS, _, settings)) if announced.is_empty() => {
                    const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
                    let mut settings = settings.chunks(6);
                    let limit = settings.find(|setting| setting[..2] == MAX_CONCURRENT_STREAMS);
                    announced = limit.unwrap()[2..].to_vec();
                }
                Some((RST_STREAM, _, code)) => {
                    assert_eq!(code, REFUSED_STREAM.to_be_bytes());
                    refused += 1;
                }
                Some((GOAWAY, ..)) | None => return (announced, refused, true),
                Some(_) => {}
            }
            if refused == refusals {
                return (announced, refused, false);
            }
        }
    };
    tokio::join!(read, writing.write_all(&flood)).0
}

#[tokio::test]
async fn of_many_streams_a_hundred_are_let_in() {
    let server = start(Limits::default()).await;
    let announced = 100_u32.to_be_bytes().to_vec();
    assert_eq!(crowd(server.address, 300, 200).await, (announced, 200, false));
    let (_, refused, ended) = crowd(server.address, 1000, 900).await;
    assert!(ended && refused <= 256, "{refused}");
    server.client().await.verify_token(tell("hello")).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let server = start(Limits::default()).await;
    const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
    let stream = raw(server.address).await;
    let flood = (0..10_000)
        .flat_map(|n| [opening(2 * n + 1), frame(RST_STREAM, 0, 2 * n + 1, &CANCEL)])
        .flatten()
        .collect();
    assert_eq!(goaway(stream, flood).await.0, ENHANCE_YOUR_CALM);
    server.client().await.verify_token(tell("hello")).await.unwrap();
}

/// CVE-2025-8671: the peer errs, so that it is the server who resets.
#[tokio::test]
async fn a_flood_of_provoked_resets_ends_the_connection() {
    let server = start(Limits::default()).await;
    let stream = raw(server.address).await;
    let flood = (0..10_000)
        .flat_map(|n| {
            [opening(2 * n + 1), frame(WINDOW_UPDATE, 0, 2 * n + 1, &i32::MAX.to_be_bytes())]
        })
        .flatten()
        .collect();
    let (code, resets) = goaway(stream, flood).await;
    assert_eq!(code, ENHANCE_YOUR_CALM);
    assert!(resets <= 300, "{resets}");
}

#[tokio::test]
async fn connections_beyond_the_caps_are_closed_at_once() {
    for limits in [
        Limits { max_connections_per_address: 2, ..Limits::default() },
        Limits { max_connections: 2, ..Limits::default() },
    ] {
        let server = start(limits).await;
        let mut kept = [server.client().await, server.client().await];
        for client in &mut kept {
            client.verify_token(tell("hello")).await.unwrap();
        }
        closed(&mut server.connect().await).await;

        drop(kept);
        let let_in_again = async {
            loop {
                let mut stream = raw(server.address).await;
                if let Ok(1..) = stream.read(&mut [0; 1]).await {
                    break;
                }
            }
        };
        in_time(let_in_again).await;
    }
}

#[tokio::test]
async fn headers_have_a_limit() {
    let server = start(Limits::default()).await;
    let long = "x".repeat(20 * 1024);
    let headers = [("x-long", long.as_str())];
    let request =
        post(Version::HTTP_11, VERIFY, "application/grpc-web", &headers, framed(&tell("hello")));
    assert_eq!(ask(server.address, request).await.head.status, 431);
    let request =
        post(Version::HTTP_2, VERIFY, "application/grpc", &headers, framed(&tell("hello")));
    assert_eq!(ask(server.address, request).await.head.status, 431);
    assert_eq!(server.obedient.entered(), 0);
}

#[tokio::test]
async fn over_tls_both_versions_are_offered() {
    let pem = |name: &str| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/tls").join(name)
    };
    let (certificate, key) = (pem("certificate.pem"), pem("key.pem"));
    let config = tls::load(&certificate, &key).unwrap();
    let server = start_with(hasty(), |server, obedient| {
        server.open(TokenServiceServer::new(obedient)).tls(Some(config))
    })
    .await;

    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    for (alpn, version, content_type) in [
        ("h2", Version::HTTP_2, "application/grpc"),
        ("http/1.1", Version::HTTP_11, "application/grpc-web"),
    ] {
        let mut config = config.clone();
        config.alpn_protocols = vec![alpn.into()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, server.connect().await).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn.as_bytes()));
        let request = post(version, VERIFY, content_type, &[], framed(&tell("hello")));
        let answer = ask_over(stream, request).await;
        assert_eq!(answer.status().code(), Code::Ok);
    }

    // In clear, or with a handshake that never comes, nothing is served.
    closed(&mut server.connect().await).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused_at_the_start() {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(tls::load(&manifest, &manifest).is_err());
}

#[tokio::test]
async fn one_connection_serves_many_pages() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        in_time(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 404");
        let mut rest = Vec::new();
        while !rest.ends_with(b"There is nothing here.\n") {
            rest.push(in_time(stream.read_u8()).await.unwrap());
        }
    }
    let request = Request::get("/").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(ask(server.address, request).await.head.status, 404);
}
