//! Signatures that are not the key's, or not of this text: cut, changed, taken
//! from elsewhere, or made so that sloppy arithmetic would take them.

use serde_json::json;

use super::{Forge, TestIssuer, encode, parts, with};

/// The order of the group of Ed25519 (RFC 8032, section 5.1), little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn all(forge: &mut Forge<'_>) {
    forge.family("signature");
    let token = forge.token();
    let [header, payload, _] = parts(&token);
    let signed = format!("{header}.{payload}");
    let own = forge.known.issuer.signature(signed.as_bytes());
    let by = |issuer: &TestIssuer| issuer.signature(signed.as_bytes());
    let flipped = |byte: usize, bit: u8| {
        let mut other = own.clone();
        other[byte] ^= bit;
        other
    };
    let half = own.len() / 2;
    let (first, second) = own.split_at(half);
    let neutral = [&[1][..], &[0; 63]].concat();
    let other = forge.with_claim("jti", json!("00000000-0000-4000-8000-000000000001"));
    let text = String::from_utf8_lossy(&own).into_owned();
    let rows = [
        ("none", Vec::new()),
        ("one byte", vec![0]),
        ("a byte too few", own[..own.len() - 1].to_vec()),
        ("a byte too many", [&own[..], &[0]].concat()),
        ("a byte too many in front", [&[0], &own[..]].concat()),
        ("twice", [&own[..], &own].concat()),
        ("zeros", vec![0; own.len()]),
        ("ones", vec![0xff; own.len()]),
        ("the first bit changed", flipped(0, 0x80)),
        ("the last bit changed", flipped(own.len() - 1, 0x01)),
        ("a bit in the middle changed", flipped(half, 0x10)),
        ("its halves exchanged", [second, first].concat()),
        ("backwards", own.iter().rev().copied().collect()),
        ("half of it twice", [first, first].concat()),
        ("the neutral point and nothing", neutral.clone()),
        ("the neutral point and its half", [&neutral[..half], second].concat()),
        ("its half and nothing", [first, &[0; 32]].concat()),
        ("the order added", [first, &plus_order(second)].concat()),
        ("the order and nothing", [first, &ORDER].concat()),
        ("a stranger's", by(&forge.stranger)),
        ("of another curve", by(&TestIssuer::es256())),
        ("in JSON", json!(encode(&own)).to_string().into_bytes()),
        ("in text", text.into_bytes()),
        ("encoded twice", encode(&own).into_bytes()),
        ("of the header alone", forge.known.issuer.signature(header.as_bytes())),
        ("of the payload alone", forge.known.issuer.signature(payload.as_bytes())),
        ("of both without a dot", forge.known.issuer.signature(signed.replace('.', "").as_bytes())),
        ("of what is written", forge.known.issuer.signature(token.as_bytes())),
    ];
    let rows = rows.map(|(name, signature)| (name, format!("{signed}.{}", encode(signature))));
    for (name, token) in rows {
        forge.refused(name, &token);
    }
    changed(forge, &token, &other);
}

/// What was signed, and then something else is said.
fn changed(forge: &mut Forge<'_>, token: &str, other: &str) {
    let [header, payload, signature] = parts(token);
    let [_, others, another] = parts(other);
    let good = &forge.known;
    let says = |member: &str, value| encode(with(&good.user, member, value).to_string());
    let asks = |member: &str, value| encode(with(&forge.header(), member, value).to_string());
    let signed = |header: &str, payload: &str| format!("{header}.{payload}.{signature}");
    let rows = [
        ("of another token", format!("{header}.{payload}.{another}")),
        ("another payload", signed(header, others)),
        (
            "another user",
            signed(header, &says("sub", json!("00000000-0000-4000-8000-000000000001"))),
        ),
        (
            "another session",
            signed(header, &says("sid", json!("00000000-0000-4000-8000-000000000001"))),
        ),
        ("another expiry", signed(header, &says("exp", json!(good.now + 200)))),
        ("another scope", signed(header, &says("scope", json!("admin")))),
        ("another type", signed(&asks("typ", json!("AT+JWT")), payload)),
        ("another header", signed(&asks("x", json!(1)), payload)),
        ("an empty object", signed(header, &encode("{}"))),
        ("the same with a blank", signed(header, &encode(format!("{} ", good.user)))),
    ];
    for (name, token) in rows {
        forge.refused(&format!("then changed: {name}"), &token);
    }
}

/// The same number modulo the order, which is another text.
fn plus_order(scalar: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let sum = scalar.iter().zip(ORDER).map(|(byte, order)| {
        let [low, high] = (u16::from(*byte) + u16::from(order) + carry).to_le_bytes();
        carry = u16::from(high);
        low
    });
    sum.collect()
}
