//! When a token is good, and what is no time at all. The leeway is five seconds
//! to either side, and each of its ends has a token on both sides.

use serde_json::{Value, json};

use super::{Forge, besides, twice, with, without};
use crate::verify::LEEWAY_SECONDS;

pub(super) fn all(forge: &mut Forge<'_>) {
    forge.family("time");
    expiry(forge);
    beginnings(forge);
    lifetimes(forge);
    numbers(forge);
}

/// What a token says that lives from `issued` to `expires`.
fn living(forge: &Forge<'_>, issued: i64, expires: i64) -> String {
    let payload = with(&forge.known.user, "iat", json!(issued));
    let payload = with(&payload, "nbf", json!(issued));
    forge.sign(&forge.header(), &with(&payload, "exp", json!(expires)))
}

fn expiry(forge: &mut Forge<'_>) {
    let (now, leeway) = (forge.known.now, LEEWAY_SECONDS);
    forge.good("expires in a second", &living(forge, now - 60, now + 1));
    forge.good("expired within the leeway", &living(forge, now - 60, now - leeway + 1));
    forge.expired("expired by the leeway", &living(forge, now - 60, now - leeway));
    forge.expired("expired a minute ago", &living(forge, now - 120, now - 60));
    forge.expired("expired a day ago", &living(forge, now - 86_460, now - 86_400));
    forge.expired("expired in 1970", &living(forge, 0, 60));
    let expired = with(&with(&forge.known.user, "iat", json!(now - 120)), "exp", json!(now - 60));
    for (name, member, value) in [
        ("expired, and for others", "aud", json!("billing")),
        ("expired, and another's", "iss", json!("https://else.test")),
        ("expired, and nobody's", "sub", json!(1)),
        ("expired, and not good yet", "nbf", json!(now + 60)),
    ] {
        let token = forge.sign(&forge.header(), &with(&expired, member, value));
        forge.refused(name, &token);
    }
    let token = forge.stranger.sign(&forge.header(), &expired);
    forge.refused("expired, and a stranger's", &token);
}

fn beginnings(forge: &mut Forge<'_>) {
    let (now, leeway) = (forge.known.now, LEEWAY_SECONDS);
    forge.good("nbf within the leeway", &forge.with_claim("nbf", json!(now + leeway)));
    forge.good("nbf in 1970", &forge.with_claim("nbf", json!(0)));
    forge.good("iat within the leeway", &forge.with_claim("iat", json!(now + leeway)));
    for ahead in [leeway + 1, 60, 86_400] {
        forge.refused_claims("nbf", &[json!(now + ahead)]);
        forge.refused_claims("iat", &[json!(now + ahead)]);
        let later = living(forge, now + ahead, now + ahead + 60);
        forge.refused(&format!("all of it in {ahead} s"), &later);
    }
    forge.refused_claims("nbf", &[json!(i64::MAX), json!(-1), json!(i64::MIN)]);
}

fn lifetimes(forge: &mut Forge<'_>) {
    let (now, longest) = (forge.known.now, forge.known.longest);
    forge.good("as long as may be", &living(forge, now - 10, now - 10 + longest));
    let living = [
        ("a second too long", now - 10, now - 9 + longest),
        ("a second too long, to come", now, now + longest + 1),
        ("for a year", now, now + 365 * 86_400),
        ("for ever", now, i64::MAX),
        ("from the beginning of time", i64::MIN, now + 60),
        ("since 1970", 0, now + 60),
        ("expires when issued", now, now),
        ("expires before it was issued", now, now - 1),
        ("expires before 1970", now, -1),
        ("of before 1970", -120, -60),
    ]
    .map(|(name, issued, expires)| (name, living(forge, issued, expires)));
    for (name, token) in living {
        forge.refused(name, &token);
    }
}

/// What is no number of seconds.
fn numbers(forge: &mut Forge<'_>) {
    let now = forge.known.now;
    for member in ["exp", "iat", "nbf", "auth_time"] {
        let token = forge.without_claim(member);
        forge.refused(&format!("{member} missing"), &token);
        let number = forge.known.user[member].clone();
        let odd = [
            json!(null),
            json!(number.to_string()),
            json!("soon"),
            json!(""),
            json!(true),
            json!([number]),
            json!({ "seconds": number }),
        ];
        forge.refused_claims(member, &odd);
        // Texts that JSON has for numbers, or that some readers take for one.
        for odd in [
            format!("{now}.5"),
            format!("{number}.0"),
            "1e308".to_owned(),
            "1e400".to_owned(),
            "9223372036854775808".to_owned(),
            "18446744073709551616".to_owned(),
            "NaN".to_owned(),
            "Infinity".to_owned(),
            format!("0{number}"),
            format!("+{number}"),
            format!("0x{now:x}"),
        ] {
            let payload = besides(&without(&forge.known.user, member), member, &odd);
            let token = forge.sign_text(&forge.header().to_string(), &payload);
            forge.refused(&format!("{member} written {odd}"), &token);
        }
        let payload = twice(&forge.known.user, member, &forge.known.user[member]);
        let token = forge.sign_text(&forge.header().to_string(), &payload);
        forge.refused(&format!("{member} twice"), &token);
    }
    let millis = Value::from(forge.known.now * 1000);
    forge.refused_claims("exp", &[millis]);
}
