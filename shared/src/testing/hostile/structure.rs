//! Tokens that are not written as one: too few parts or too many, other
//! alphabets, what is no JSON, and what is too long.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};
use serde_json::{Value, json};

use super::{Forge, encode, parts, with};
use crate::verify::MAX_TOKEN_BYTES;

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn forms(forge: &mut Forge<'_>) {
    forge.family("parts");
    let token = forge.token();
    let [header, payload, signature] = parts(&token);
    let sign = |signed: &str| forge.known.issuer.sign_encoded(signed);
    let flattened =
        json!({ "protected": header, "payload": payload, "signature": signature }).to_string();
    let general = json!({
        "payload": payload,
        "signatures": [{ "protected": header, "signature": signature }],
    });
    let rows = [
        ("nothing", String::new()),
        ("one part", header.to_owned()),
        ("no signature", format!("{header}.{payload}")),
        ("no signature but its dot", format!("{header}.{payload}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("dots", "..".to_owned()),
        ("more dots", "....".to_owned()),
        ("a dot too many", format!("{token}.")),
        ("a dot before", format!(".{token}")),
        ("four parts", format!("{token}.{signature}")),
        ("four parts, signed", sign(&format!("{header}.{payload}.{payload}"))),
        ("five parts, as if encrypted", format!("{header}.{payload}.{payload}.{token}")),
        ("parts in another order", format!("{payload}.{header}.{signature}")),
        ("an empty payload, signed", sign(&format!("{header}."))),
        ("an empty header, signed", sign(&format!(".{payload}"))),
        ("nothing, signed", sign(".")),
        ("one part, signed", sign(header)),
        ("the flattened JSON form", flattened),
        ("the general JSON form", general.to_string()),
        ("twice", format!("{token}{token}")),
        ("in quotes", format!("\"{token}\"")),
        ("dots in percent", token.replace('.', "%2E")),
        ("commas for dots", token.replace('.', ",")),
        ("a refresh token", format!("rt1.{}", encode([7; 60]))),
        ("a secret of a service", format!("ds_reporter_{}", "A".repeat(43))),
    ];
    for (name, token) in rows {
        forge.refused(name, &token);
    }
}

pub(super) fn encodings(forge: &mut Forge<'_>) {
    forge.family("encoding");
    let (header, payload) = (forge.header(), forge.known.user.clone());
    let spaced = serde_json::to_string_pretty(&payload).unwrap_or_default();
    forge.good("JSON with blanks", &forge.sign_text(&header.to_string(), &spaced));
    alphabets(forge);
    let texts = [
        ("an array", "[]".to_owned()),
        ("a text", json!(payload.to_string()).to_string()),
        ("null", "null".to_owned()),
        ("a number", "1".to_owned()),
        ("an empty object", "{}".to_owned()),
        ("no JSON", "sub=me&exp=never".to_owned()),
        ("half of it", payload.to_string()[..40].to_owned()),
        ("something behind it", format!("{payload} x")),
        ("another one behind it", format!("{payload}{payload}")),
        ("one in an array", json!([payload]).to_string()),
        ("a byte order mark", format!("\u{feff}{payload}")),
        ("a comma too many", payload.to_string().replacen('}', ",}", 1)),
        ("a comment", format!("{payload}//")),
        ("single quotes", payload.to_string().replace('"', "'")),
        ("a token", forge.token()),
        ("encoded twice", encode(payload.to_string())),
    ];
    for (name, text) in &texts {
        let token = forge.sign_text(&header.to_string(), text);
        forge.refused(&format!("the payload is {name}"), &token);
    }
    for (name, text) in [
        ("an array", "[]"),
        ("an empty object", "{}"),
        ("null", "null"),
        ("no JSON", "alg=none"),
        ("something with more behind it", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"} {}"),
    ] {
        let token = forge.sign_text(text, &payload.to_string());
        forge.refused(&format!("the header is {name}"), &token);
    }
    let bytes = [payload.to_string().as_bytes(), b"\xff"].concat();
    let bytes = format!("{}.{}", encode(header.to_string()), encode(bytes));
    forge.refused("a payload that is no UTF-8", &forge.known.issuer.sign_encoded(&bytes));
    let wide: Vec<u8> = payload.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = format!("{}.{}", encode(header.to_string()), encode(wide));
    forge.refused("a payload in UTF-16", &forge.known.issuer.sign_encoded(&wide));
}

/// The same bytes in other letters: each is another token that would say the
/// same, and none of them is one.
fn alphabets(forge: &mut Forge<'_>) {
    let header = forge.header().to_string();
    // So that there is padding, and letters that the alphabets do not share.
    let filled =
        |length: usize| with(&forge.known.user, "x", json!("?>".repeat(length))).to_string();
    let lengths = 30..60;
    let padded = lengths.clone().map(filled).find(|text| text.len() % 3 != 0).unwrap_or_default();
    let other = lengths.map(filled).find(|text| encode(text).contains(['-', '_']));
    let other = other.unwrap_or_default();
    let sign = |payload: String| {
        forge.known.issuer.sign_encoded(&format!("{}.{payload}", encode(&header)))
    };
    let (plain, token) = (encode(&padded), forge.token());
    let [head, body, signature] = parts(&token);
    let good = [("filled", sign(encode(&padded))), ("filled with others", sign(encode(&other)))];
    let inside = |what: &str| format!("{head}.{}{what}{}.{signature}", &body[..9], &body[9..]);
    let rows = [
        ("padding, signed", sign(URL_SAFE.encode(&padded))),
        ("the other alphabet, signed", sign(STANDARD_NO_PAD.encode(&other))),
        ("the other alphabet, padded, signed", sign(STANDARD.encode(&padded))),
        ("bits to spare in the payload, signed", sign(with_spare_bits(&plain))),
        ("a blank inside, signed", sign(format!("{} {}", &plain[..8], &plain[8..]))),
        ("a padded signature", format!("{token}==")),
        ("a padded signature, once", format!("{token}=")),
        ("bits to spare in the signature", format!("{head}.{body}.{}", with_spare_bits(signature))),
        ("a blank inside", inside(" ")),
        ("a tabulator inside", inside("\t")),
        ("an escape inside", inside("%0A")),
        ("a letter from elsewhere inside", inside("é")),
        ("a wide letter inside", inside("Ａ")),
        ("a star inside", inside("*")),
        ("capitals for small letters", token.to_ascii_uppercase()),
        ("small letters for capitals", token.to_ascii_lowercase()),
        (
            "in hexadecimal",
            token.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")),
        ),
    ];
    for (name, token) in good {
        forge.good(name, &token);
    }
    for (name, token) in rows {
        forge.refused(name, &token);
    }
}

/// The same bytes with a last letter whose unused bits are not zero.
fn with_spare_bits(encoded: &str) -> String {
    let (rest, last) = encoded.split_at(encoded.len().saturating_sub(1));
    let place = ALPHABET.iter().position(|letter| last.as_bytes() == [*letter]).unwrap_or(0);
    format!("{rest}{}", char::from(ALPHABET[place ^ 1]))
}

pub(super) fn sizes(forge: &mut Forge<'_>) {
    forge.family("size");
    let longest = sized(forge, MAX_TOKEN_BYTES);
    forge.good("4096 bytes", &longest);
    for bytes in [MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES + 2, 8000, 12_000] {
        let token = sized(forge, bytes);
        forge.refused(&format!("{bytes} bytes"), &token);
    }
    let header = with(&forge.header(), "x", json!("x".repeat(7000)));
    forge.refused("a header of 7000 bytes", &forge.sign(&header, &forge.known.user));
    forge.refused("letters only", &"A".repeat(5000));
    forge.refused("dots only", &".".repeat(4000));
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let payload = super::besides(&forge.known.user, "x", &deep);
    let token = forge.sign_text(&forge.header().to_string(), &payload);
    forge.good("a claim of a thousand depths that nobody reads", &token);
}

/// A good token of just so many bytes.
#[expect(clippy::expect_used, reason = "a test may fail like this")]
fn sized(forge: &Forge<'_>, bytes: usize) -> String {
    let token = |in_header: usize, in_payload: usize| {
        let header = with(&forge.header(), "x", Value::from("x".repeat(in_header)));
        forge.sign(&header, &with(&forge.known.user, "x", Value::from("x".repeat(in_payload))))
    };
    // No text has 4n + 1 letters, so that both of them have to be filled.
    let short = (bytes - token(0, 0).len()) * 3 / 4;
    let sizes = (0..3).flat_map(|header| (0..8).map(move |less| (header, less)));
    let mut tokens = sizes.map(|(header, less)| token(header, short.saturating_sub(less)));
    tokens.find(|token| token.len() == bytes).expect("a token of this size")
}
