//! Tokens of services by assertion (RFC 7523): signed by a key of the account,
//! for this issuer, for five minutes, once.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proto::auth::v1::issue_service_token_request::Credential;
use serde_json::{Value, json};
use shared::{clock::Clock as _, jwk::Jwk, rng, testing::TestIssuer};
use tonic::{Code, Status};

use crate::{
    harness::{TestApp, Told as _, minutes},
    services::{account, audited},
};

/// What a good assertion of the account `reporter` says.
fn good(app: &TestApp) -> Value {
    let now = app.clock.now().timestamp();
    json!({
        "iss": "reporter", "sub": "reporter", "aud": "https://auth.test",
        "iat": now, "exp": now + 300, "jti": rng::uuid_v4(),
    })
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": "JWT" })
}

async fn show(app: &TestApp, assertion: String) -> Result<String, Status> {
    let answer = app.issue(Credential::Assertion(assertion), &[], &[]).await?;
    Ok(answer.access_token)
}

/// A new key of P-256: its public part, and what signs.
fn p256() -> (Jwk, EncodingKey) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let jwk = Jwk::p256(point[1..33].try_into().unwrap(), point[33..65].try_into().unwrap());
    (jwk, EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()))
}

/// Ed25519 and P-256, the name with its collection and without, once each.
#[tokio::test]
async fn an_assertion_gets_a_token_once() {
    let app = TestApp::start().await;
    let (signer, (jwk, es256)) = (TestIssuer::new(), p256());
    let reporter = app.service_with_key("reporter", &["tasks:read"], signer.jwk()).await;
    app.service_with_key("reporter", &["tasks:read"], &jwk).await;
    let full = json!("serviceAccounts/reporter");
    let full = with(&with(&good(&app), "iss", full.clone()), "sub", full);
    let listed = with(&good(&app), "aud", json!(["https://auth.test"]));
    let no_type = json!({ "alg": "EdDSA", "kid": "whatever" });
    let by_es256 = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &good(&app), &es256);
    for assertion in [
        signer.sign(&header(), &good(&app)),
        signer.sign(&no_type, &without(&good(&app), "iat")),
        signer.sign(&header(), &full),
        signer.sign(&header(), &listed),
        by_es256.unwrap(),
    ] {
        let token = show(&app, assertion.clone()).await.unwrap();
        assert_eq!(app.introspect(&token).await.subject, reporter.id.to_string());
        let replayed = show(&app, assertion).await.unwrap_err();
        replayed.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
}

/// Of many at once with the same assertion one gets a token.
#[tokio::test]
async fn a_race_with_one_assertion_has_one_winner() {
    let app = TestApp::start().await;
    let signer = TestIssuer::new();
    app.service_with_key("reporter", &["tasks:read"], signer.jwk()).await;
    let assertion = signer.sign(&header(), &good(&app));
    let all = (0..16).map(|_| show(&app, assertion.clone()));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 1);
    // It is forgotten when it would not be accepted any more.
    app.clock.advance(minutes(6));
    show(&app, assertion).await.unwrap_err().is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    show(&app, signer.sign(&header(), &good(&app))).await.unwrap();
    let dump = crate::services::dump(&app).await;
    assert_eq!(dump.matches("data.used_assertions ").count(), 1, "{dump}");
}

/// What no good assertion says, though its own key signs it.
fn bad_claims(claims: &Value, now: i64) -> Vec<Value> {
    let of = |account: &str| with(&with(claims, "iss", json!(account)), "sub", json!(account));
    vec![
        with(claims, "aud", json!("https://auth.test/")),
        with(claims, "aud", json!(["https://auth.test", "https://else.test"])),
        with(claims, "aud", json!([])),
        with(claims, "aud", json!("task-service")),
        with(claims, "exp", json!(now + 306)),
        with(claims, "exp", json!(now - 5)),
        with(claims, "exp", json!(i64::MAX)),
        with(claims, "exp", json!("later")),
        with(claims, "iat", json!(now + 60)),
        with(claims, "iat", json!(now - 60)),
        with(claims, "iat", json!(i64::MIN)),
        with(claims, "nbf", json!(now + 60)),
        with(claims, "sub", json!("archiver")),
        with(claims, "sub", json!("serviceAccounts/reporter")),
        with(claims, "jti", json!("")),
        with(claims, "jti", json!("x".repeat(129))),
        with(claims, "jti", json!("a\u{0}b")),
        with(claims, "jti", json!(1)),
        without(claims, "jti"),
        without(claims, "exp"),
        without(claims, "aud"),
        without(claims, "sub"),
        of("archiver"),
        of("nobody"),
        of("Reporter"),
        json!([]),
    ]
}

/// Everything that is wrong with an assertion is refused in one way.
#[tokio::test]
async fn a_bad_assertion_is_refused_in_one_way() {
    let app = TestApp::start().await;
    let (signer, stranger) = (TestIssuer::new(), TestIssuer::new());
    app.service_with_key("reporter", &["tasks:read"], signer.jwk()).await;
    app.service_with_key("archiver", &["tasks:read"], stranger.jwk()).await;
    let (claims, now) = (good(&app), app.clock.now().timestamp());
    let mut bad: Vec<String> =
        bad_claims(&claims, now).iter().map(|claims| signer.sign(&header(), claims)).collect();
    let public = json!(signer.jwk());
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("ES256")),
        ("alg", json!("HS256")),
        ("typ", json!("at+jwt")),
        ("typ", json!("application/at+jwt")),
        ("crit", json!([])),
        ("jwk", public.clone()),
        ("jku", json!("https://else.test/keys")),
        ("x5u", json!("https://else.test/chain")),
        ("x5c", Value::Null),
    ] {
        bad.push(signer.sign(&with(&header(), name, value), &claims));
    }
    // Signed by another, with that one's key brought along or not.
    bad.push(stranger.sign(&header(), &claims));
    bad.push(stranger.sign(&with(&header(), "kid", json!(signer.jwk().kid)), &claims));
    // The public key taken for a password, in every form that it has.
    let point = URL_SAFE_NO_PAD.decode(&signer.jwk().x).unwrap();
    for secret in [point, signer.jwk().x.clone().into_bytes(), public.to_string().into_bytes()] {
        let key = EncodingKey::from_secret(&secret);
        bad.push(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap());
    }
    let parts = signer.sign(&header(), &claims);
    let unsigned = parts.rsplit_once('.').unwrap().0;
    bad.extend([format!("{unsigned}."), unsigned.to_owned(), format!("{parts}."), "..".to_owned()]);

    let mut answers = Vec::new();
    for assertion in &bad {
        let refused = show(&app, assertion.clone()).await.expect_err(assertion);
        refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        answers.push((refused.message().to_owned(), refused.details().to_vec()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    // None of them has used up the id that they share.
    show(&app, signer.sign(&header(), &claims)).await.unwrap();
    assert_eq!(audited(&app).await.iter().filter(|kind| kind.ends_with("refused")).count(), 2);
}

/// An account that is there and one that is not cost the same statements.
#[tokio::test]
async fn an_assertion_costs_two_statements_right_or_wrong() {
    let app = TestApp::start_alone().await;
    let (signer, stranger) = (TestIssuer::new(), TestIssuer::new());
    app.service_with_key("reporter", &["tasks:read"], signer.jwk()).await;
    let nobody = json!("nobody");
    let nobody = with(&with(&good(&app), "iss", nobody.clone()), "sub", nobody);
    for assertion in [
        signer.sign(&header(), &good(&app)),
        stranger.sign(&header(), &good(&app)),
        signer.sign(&header(), &nobody),
    ] {
        app.statements.take();
        let _ = show(&app, assertion).await;
        assert_eq!(app.statements.take(), 2);
    }
}

/// Keys are exchanged like secrets; a private key is not taken.
#[tokio::test]
async fn a_key_is_public_and_may_be_exchanged() {
    use auth_service::service_accounts::assertion::parse_key;
    let app = TestApp::start().await;
    let signers = [TestIssuer::new(), TestIssuer::new(), TestIssuer::new()];
    for signer in &signers {
        app.service_with_key("reporter", &["tasks:read"], signer.jwk()).await;
        app.clock.advance(minutes(1));
    }
    let claims = good(&app);
    show(&app, signers[0].sign(&header(), &claims)).await.unwrap_err();
    for signer in &signers[1..] {
        show(&app, signer.sign(&header(), &good(&app))).await.unwrap();
    }
    assert_eq!(account("reporter").to_string(), "serviceAccounts/reporter");

    let public = json!(signers[0].jwk());
    let named = with(&without(&public, "alg"), "kid", json!("mine"));
    assert_eq!(parse_key(&named.to_string()).unwrap(), *signers[0].jwk());
    let private = parse_key(&with(&public, "d", json!("secret")).to_string()).unwrap_err();
    assert!(private.contains("private") && !private.contains("secret"), "{private}");
    let symmetric = json!({ "kty": "oct", "k": "AAAA" });
    let bad = [
        with(&public, "crv", json!("X25519")),
        with(&public, "kty", json!("RSA")),
        with(&public, "x", json!("AAAA")),
        symmetric,
        json!([]),
        json!(null),
    ];
    for bad in bad {
        assert!(parse_key(&bad.to_string()).is_err(), "{bad}");
    }
    assert!(parse_key("").is_err() && parse_key(&" ".repeat(5000)).is_err());
}
