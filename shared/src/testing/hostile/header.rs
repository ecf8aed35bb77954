//! What a header may not say: another algorithm than the key's, another key,
//! another type, or how the token wants to be checked.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Forge, TestIssuer, encode, parts, text, twice, with, without};

pub(super) fn algorithms(forge: &mut Forge<'_>) {
    forge.family("algorithm");
    let payload = forge.known.user.clone();
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = with(&forge.header(), "alg", json!(none));
        let unsigned = format!("{}.{}.", encode(header.to_string()), encode(payload.to_string()));
        forge.refused(&format!("{none} without a signature"), &unsigned);
        forge.refused(&format!("{none} and signed"), &forge.sign(&header, &payload));
    }
    symmetric(forge);
    // Signed with the right key, under any other name.
    let others = [
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES384",
        "ES512",
        "ES256K",
        "Ed25519",
        "Ed448",
        "eddsa",
        "EDDSA",
        "EdDSA ",
        "es256",
        "",
        "EdDSA,ES256",
        "dir",
        "HS256\u{0}",
    ];
    let own = forge.header_text("alg");
    let confused = if own == "EdDSA" { "ES256" } else { "EdDSA" };
    let others: Vec<_> = others.into_iter().chain([confused]).map(|other| json!(other)).collect();
    forge.refused_headers("alg", &others);
    let odd = [json!(null), json!(1), json!(true), json!([own]), json!({ "name": own })];
    forge.refused_headers("alg", &odd);
    forge.refused("alg missing", &forge.sign(&without(&forge.header(), "alg"), &payload));
    let header = twice(&forge.header(), "alg", &json!(own));
    forge.refused("alg twice", &forge.sign_text(&header, &payload.to_string()));

    // The algorithm of another key, under the name of ours.
    for other in [TestIssuer::es256(), TestIssuer::new()] {
        let header = with(&other.header(), "kid", forge.header()["kid"].clone());
        let name = format!("{} by a stranger's key", other.jwk().alg);
        forge.refused(&name, &other.sign(&header, &payload));
    }
}

/// The public key, which everybody has, as the secret of a shared-key signature.
fn symmetric(forge: &mut Forge<'_>) {
    let jwk = forge.known.issuer.jwk();
    let raw = [&jwk.x, &jwk.y].map(|part| {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap_or_default()
    });
    let raw = raw.concat();
    // RFC 8410, section 4: a SubjectPublicKeyInfo of Ed25519 is this and the key.
    let der = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], &raw].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let secrets = [
        ("raw", raw),
        ("DER", der),
        ("PEM", pem.clone().into_bytes()),
        ("PEM without the last newline", pem.trim_end().as_bytes().to_vec()),
        ("base64url", jwk.x.clone().into_bytes()),
        ("JWK", json!(jwk).to_string().into_bytes()),
        ("kid", jwk.kid.clone().into_bytes()),
        ("empty", Vec::new()),
    ];
    let algorithms =
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    for (name, algorithm) in algorithms {
        let header = with(&forge.header(), "alg", json!(name)).to_string();
        let signed = format!("{}.{}", encode(header), encode(forge.known.user.to_string()));
        for (form, secret) in &secrets {
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
            forge.refused(
                &format!("{name} under the public key as {form}"),
                &format!("{signed}.{}", encode(tag)),
            );
        }
    }
}

pub(super) fn keys(forge: &mut Forge<'_>) {
    forge.family("key");
    let (header, payload) = (forge.header(), forge.known.user.clone());
    let kid = text(&header, "kid");
    forge.refused("kid missing", &forge.sign(&without(&header, "kid"), &payload));
    let odd = [
        json!(null),
        json!(""),
        json!("another"),
        json!("0"),
        json!(0),
        json!(true),
        json!([kid]),
        json!({ "kid": kid }),
        json!("../../../../../../dev/null"),
        json!("/etc/passwd"),
        json!("file:///dev/null"),
        json!("https://evil.test/key"),
        json!("' or 1=1 --"),
        json!("x' union select 'key'; --"),
        json!("| sleep 10"),
        json!(format!("{kid} ")),
        json!(format!(" {kid}")),
        json!(format!("{kid}\n")),
        json!(format!("{kid}\0")),
        json!(kid.to_ascii_lowercase()),
        json!(kid[..kid.len() - 1]),
        json!(format!("{kid}=")),
        json!("k".repeat(1000)),
        json!(forge.stranger.jwk().kid),
    ];
    forge.refused_headers("kid", &odd);
    let twice = twice(&header, "kid", &json!(kid));
    forge.refused("kid twice", &forge.sign_text(&twice, &payload.to_string()));
    // A key that the service never had, or has no more.
    forge.refused("a stranger's", &forge.stranger.sign(&forge.stranger.header(), &payload));
    forge.refused("a stranger's under our kid", &forge.stranger.sign(&header, &payload));
}

pub(super) fn types(forge: &mut Forge<'_>) {
    forge.family("type");
    for typ in ["AT+JWT", "application/at+jwt", "Application/AT+JWT"] {
        forge.good(typ, &forge.with_header("typ", json!(typ)));
    }
    let payload = forge.known.user.clone();
    forge.refused("typ missing", &forge.sign(&without(&forge.header(), "typ"), &payload));
    let odd = [
        "",
        "JWT",
        "jwt",
        "JWS",
        "JOSE",
        "at",
        "at+jwt ",
        " at+jwt",
        "at +jwt",
        "at jwt",
        "at+jwt\n",
        "at+jwtx",
        "at+jws",
        "application/jwt",
        "application/at+jwt;v=1",
        "text/at+jwt",
        "rt+jwt",
        "refresh+jwt",
        "id+jwt",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "erasure-receipt+jwt",
    ];
    forge.refused_headers("typ", &odd.map(Value::from));
    let others = [json!(null), json!(1), json!(["at+jwt"]), json!({ "typ": "at+jwt" })];
    forge.refused_headers("typ", &others);
    let header = twice(&forge.header(), "typ", &json!("at+jwt"));
    forge.refused("typ twice", &forge.sign_text(&header, &payload.to_string()));
}

/// What would let a token bring its own key or say how it is to be read.
pub(super) fn rules(forge: &mut Forge<'_>) {
    forge.family("rules of its own");
    forge.good("a header nobody knows", &forge.with_header("x-trace", json!("1")));
    let crits = [
        json!(["exp"]),
        json!(["alg"]),
        json!(["b64"]),
        json!(["https://evil.test/extension"]),
        json!([]),
        json!([""]),
        json!("exp"),
        json!(null),
        json!({}),
    ];
    forge.refused_headers("crit", &crits);
    let header = with(&with(&forge.header(), "crit", json!(["x"])), "x", json!(true));
    forge.refused("crit that is there", &forge.sign(&header, &forge.known.user));

    let (own, stranger) = (json!(forge.known.issuer.jwk()), json!(forge.stranger.jwk()));
    forge.refused_headers("jwk", &[own, stranger.clone(), json!(null), json!("key")]);
    let brings = |member: &str, value: Value| {
        let header = with(&forge.header(), member, value);
        let header = with(&header, "kid", forge.header()["kid"].clone());
        forge.stranger.sign(&header, &forge.known.user)
    };
    let brought = [
        ("a jwk that fits", brings("jwk", stranger)),
        ("a jku with that key", brings("jku", json!("https://evil.test/jwks.json"))),
        ("an x5c with that key", brings("x5c", json!(["MIIB"]))),
    ];
    for (name, token) in brought {
        forge.refused(name, &token);
    }
    let url = "https://issuer.test/.well-known/jwks.json";
    forge.refused_headers("jku", &[json!(url), json!("http://localhost/keys"), json!(null)]);
    forge.refused_headers("x5u", &[json!(url), json!(null)]);
    forge.refused_headers("x5c", &[json!(["MIIB"]), json!([]), json!(null)]);
    forge.refused_headers("x5t", &[json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA"), json!(null)]);
    forge.refused_headers("x5t#S256", &[json!("AAAA"), json!(null)]);
    forge.refused_headers("cty", &[json!("JWT"), json!("json"), json!("")]);
    forge.refused_headers("zip", &[json!("DEF"), json!("none")]);
    forge.refused_headers("enc", &[json!("A256GCM")]);
    forge.refused_headers("b64", &[json!(false), json!(true)]);
    unencoded(forge);
}

/// RFC 7797: a payload that is not encoded, and says so.
fn unencoded(forge: &mut Forge<'_>) {
    let header = with(&forge.header(), "b64", json!(false));
    let header = with(&header, "crit", json!(["b64"])).to_string();
    let signed = format!("{}.{{}}", encode(header));
    let token = forge.known.issuer.sign_encoded(&signed);
    forge.refused("a payload in clear", &token);
    let [header, _, signature] = parts(&token);
    let payload = encode(forge.known.user.to_string());
    forge.refused("a payload in clear, encoded", &format!("{header}.{payload}.{signature}"));
}
