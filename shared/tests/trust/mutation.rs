//! Good tokens that chance changes: what they say, how it is written, how it is
//! encoded, and what becomes of them after they were signed.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use shared::testing::{Chance, TestIssuer};

const HEADERS: [&str; 14] = [
    "alg", "typ", "kid", "crit", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "cty", "zip",
    "b64", "x",
];
const CLAIMS: [&str; 16] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "sid",
    "auth_time",
    "amr",
    "email",
    "scope",
    "client_id",
    "act",
    "email_verified",
    "x",
];
const TIMES: [&str; 3] = ["exp", "iat", "nbf"];
/// Around every limit that there is.
const STEPS: [i64; 18] =
    [-3601, -3600, -306, -305, -304, -61, -6, -5, -4, -1, 1, 4, 5, 6, 300, 3299, 3300, 3301];

/// A token that says what `payload` does, but for one to three changes.
pub(crate) fn of(chance: &mut Chance, issuer: &TestIssuer, payload: &Value) -> String {
    let (mut header, mut payload) = (issuer.header(), payload.clone());
    let mut written = [String::new(), String::new()];
    for _ in 0..=chance.below(3) {
        match chance.below(9) {
            0 => change(chance, &mut header, &HEADERS),
            1 | 2 => change(chance, &mut payload, &CLAIMS),
            3 | 4 => shift(chance, &mut payload),
            5 => written[0] = write(chance, &header),
            6 | 7 => written[1] = write(chance, &payload),
            _ => {}
        }
    }
    // What is written in an odd way is written last.
    let [header, payload] = [(&header, &written[0]), (&payload, &written[1])]
        .map(|(value, odd)| if odd.is_empty() { value.to_string() } else { odd.clone() });
    let signed = format!("{}.{}", encode(chance, &header), encode(chance, &payload));
    let token = issuer.sign_encoded(&signed);
    if chance.one_in(5) { damage(chance, &token) } else { token }
}

fn change(chance: &mut Chance, object: &mut Value, members: &[&str]) {
    let member = *chance.pick(members);
    let Some(object) = object.as_object_mut() else { return };
    if chance.one_in(6) {
        object.remove(member);
        return;
    }
    let own = object.get(member).cloned().unwrap_or(json!("x"));
    let text = own.as_str().map_or_else(|| own.to_string(), str::to_owned);
    let another = object.values().nth(chance.below(object.len())).cloned();
    let values = [
        own.clone(),
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!(text),
        json!([own]),
        json!([text, "test"]),
        json!(["test", text]),
        json!([]),
        json!({}),
        json!({ "sub": text }),
        json!(text.to_uppercase()),
        json!(text.to_lowercase()),
        json!(format!("application/{text}")),
        json!(format!("{text} ")),
        json!(format!("{text}\0")),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("00000000-0000-4000-8000-00000000000a"),
        another.unwrap_or_default(),
    ];
    object.insert(member.to_owned(), chance.pick(&values).clone());
}

fn shift(chance: &mut Chance, payload: &mut Value) {
    let member = *chance.pick(&TIMES);
    if let Some(time) = payload[member].as_i64() {
        payload[member] = json!(time.saturating_add(*chance.pick(&STEPS)));
    }
}

/// The same object, or nearly the same, in a text of its own.
fn write(chance: &mut Chance, object: &Value) -> String {
    let text = object.to_string();
    let members = object.as_object().cloned().unwrap_or_default();
    let any = members.iter().nth(chance.below(members.len()));
    let (name, value) = any.map(|(name, value)| (name.clone(), value.clone())).unwrap_or_default();
    let open = text.strip_suffix('}').unwrap_or_default();
    match chance.below(14) {
        0 => serde_json::to_string_pretty(object).unwrap(),
        1 => format!(" \t\r\n{text}\n"),
        2 => backwards(&members),
        3 => escaped(&members),
        4 => format!("{open},{}:{value}}}", json!(name)),
        5 => format!("{open},\"\\u{:04x}{}\":{value}}}", u32::from(name.as_bytes()[0]), &name[1..]),
        6 => format!("{open},\"x\":1,\"x\":2}}"),
        7 => format!("{open},\"x\":{}{}}}", "[".repeat(90), "]".repeat(90)),
        8 => format!("{text}{text}"),
        9 => format!("{text}\0"),
        10 => format!("\u{feff}{text}"),
        11 => text.replacen(&format!(":{value}"), &format!(":{value}.0"), 1),
        12 => text.replacen(&format!(":{value}"), &format!(":{value}e0"), 1),
        _ => text.replacen('/', "\\/", 9),
    }
}

fn backwards(members: &Map<String, Value>) -> String {
    let members: Vec<_> =
        members.iter().rev().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn escaped(members: &Map<String, Value>) -> String {
    let escape = |name: &str| {
        name.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect::<String>()
    };
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!("\"{}\":{value}", escape(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn encode(chance: &mut Chance, text: &str) -> String {
    match chance.below(40) {
        0 => URL_SAFE.encode(text),
        1 => STANDARD_NO_PAD.encode(text),
        2 => {
            // The last letter with one bit more, which is of no byte if there is one to spare.
            let encoded = URL_SAFE_NO_PAD.encode(text);
            let (rest, last) = encoded.split_at(encoded.len() - 1);
            format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
        }
        _ => URL_SAFE_NO_PAD.encode(text),
    }
}

/// The token after something happened to it on its way.
fn damage(chance: &mut Chance, token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let letters = b"AQgwBCfz09-_=+/. \t\n%\"";
    let at = chance.below(bytes.len());
    let letter = *chance.pick(letters);
    match chance.below(7) {
        0 => bytes[at] = letter,
        1 => bytes.insert(at, letter),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        4 => bytes.push(letter),
        5 => bytes.swap(at, chance.below(token.len())),
        _ => bytes.extend_from_slice(&token.as_bytes()[at..]),
    }
    String::from_utf8(bytes).unwrap()
}
