//! Claims that are missing, of another type, spelled another way or of another
//! service; and tokens that would be of two kinds at once.

use serde_json::{Value, json};

use super::{Forge, Whose, text, twice, with, without};
use crate::verify::MAX_ACTORS;

pub(super) fn audiences_and_issuers(forge: &mut Forge<'_>) {
    forge.family("audience");
    let own = forge.known.user["aud"].clone();
    let own = own.as_str().map_or_else(|| text(&json!({ "aud": own[0] }), "aud"), str::to_owned);
    forge.good("one text", &forge.with_claim("aud", json!(own)));
    forge.good("among others", &forge.with_claim("aud", json!(["billing", own])));
    forge.refused("aud missing", &forge.without_claim("aud"));
    let odd = [
        json!(null),
        json!(1),
        json!(true),
        json!(""),
        json!([]),
        json!([""]),
        json!({}),
        json!({ own.as_str(): true }),
        json!([[own]]),
        json!([own, 1]),
        json!([own, null]),
        json!("billing"),
        json!(["billing", "reports"]),
        json!(own.to_ascii_uppercase()),
        json!(format!("{own} ")),
        json!(format!("{own}/")),
        json!(format!("{own},billing")),
        json!(format!("{own} billing")),
        json!(own[..own.len() - 1]),
        json!("*"),
    ];
    forge.refused_claims("aud", &odd);
    twice_each(forge, &["aud"]);

    forge.family("issuer");
    let own = text(&forge.known.user, "iss");
    forge.refused("iss missing", &forge.without_claim("iss"));
    let odd = [
        json!(null),
        json!(1),
        json!(""),
        json!([own]),
        json!({ "url": own }),
        json!(format!("{own}/")),
        json!(format!("{own} ")),
        json!(own.to_ascii_uppercase()),
        json!(own.replace("https", "http")),
        // A letter that only looks like that one.
        json!(own.replace('e', "\u{435}")),
        json!(format!("{own}.evil.test")),
        json!("https://else.test"),
    ];
    forge.refused_claims("iss", &odd);
    twice_each(forge, &["iss"]);
}

pub(super) fn identifiers(forge: &mut Forge<'_>) {
    forge.family("subject");
    let own = text(&forge.known.user, "sub");
    spellings(forge, "sub", &own);
    let odd = [json!(uuid::Uuid::nil()), json!(text(&forge.known.user, "email")), json!("me")];
    forge.refused_claims("sub", &odd);
    for member in ["sid", "jti"] {
        forge.family(if member == "sid" { "session" } else { "token id" });
        let own = text(&forge.known.user, member);
        spellings(forge, member, &own);
    }
}

/// An id has one spelling, so that no list knows it under another.
fn spellings(forge: &mut Forge<'_>, member: &str, own: &str) {
    forge.refused(&format!("{member} missing"), &forge.without_claim(member));
    let odd = [
        json!(null),
        json!(0),
        json!(1.5),
        json!(true),
        json!(""),
        json!([own]),
        json!({ "id": own }),
        json!(own.to_ascii_uppercase().replace('0', "A")),
        json!(format!("{{{own}}}")),
        json!(format!("urn:uuid:{own}")),
        json!(own.replace('-', "")),
        json!(format!(" {own}")),
        json!(format!("{own}\n")),
        json!(format!("{own}\0")),
        json!(own[..own.len() - 1]),
        json!("1"),
    ];
    forge.refused_claims(member, &odd);
    twice_each(forge, &[member]);
}

pub(super) fn types(forge: &mut Forge<'_>) {
    forge.family("claims");
    forge.good("a claim nobody knows", &forge.with_claim("nickname", json!(["x"])));
    forge.good("no way of signing in", &forge.with_claim("amr", json!([])));
    let odd = [
        ("amr", vec![json!(null), json!("pwd"), json!([1]), json!([["pwd"]]), json!({})]),
        ("email", vec![json!(null), json!(1), json!(["a@example.org"]), json!({})]),
        ("email_verified", vec![json!(null), json!("true"), json!(1), json!([true])]),
        ("scope", vec![json!(null), json!(1), json!(["tasks:read"]), json!({})]),
    ];
    for (member, values) in odd {
        forge.refused(&format!("{member} missing"), &forge.without_claim(member));
        forge.refused_claims(member, &values);
    }
    twice_each(forge, &["amr", "email", "email_verified", "scope"]);
    // The same member, spelled another way.
    let header = forge.header().to_string();
    let payload = forge.known.user.to_string();
    let payload = payload.replacen('{', "{\"\\u0073ub\":\"1\",", 1);
    forge.refused("sub twice, once in escapes", &forge.sign_text(&header, &payload));
}

/// A row of a kind of token: whose it is, if it is believed.
type Kind<'r> = (Option<Whose>, &'r str, Value);

pub(super) fn kinds(forge: &mut Forge<'_>) {
    let (user, service) = (forge.known.user.clone(), forge.known.service.clone());
    let client = text(&service, "client_id");
    let acted = |actors| with(&service, "act", acting(forge, actors));
    let rows: Vec<Kind<'_>> = vec![
        (Some(Whose::Service), "a service's", service.clone()),
        (Some(Whose::Service), "acts for a service", acted(1)),
        (Some(Whose::Service), "three act for a service", acted(MAX_ACTORS)),
        (None, "four act for a service", acted(MAX_ACTORS + 1)),
        (None, "a service's with act null", with(&service, "act", Value::Null)),
        (None, "a service's with act a text", with(&service, "act", json!(client))),
        (None, "a service's with a session", with(&service, "sid", user["sid"].clone())),
        (None, "a service's with sid null", with(&service, "sid", Value::Null)),
        (None, "client_id null", with(&service, "client_id", Value::Null)),
        (None, "client_id a number", with(&service, "client_id", json!(1))),
        (None, "client_id a list", with(&service, "client_id", json!([client]))),
        (None, "client_id missing", without(&service, "client_id")),
        (None, "a service's without a scope", without(&service, "scope")),
        (None, "a service's with scopes in a list", with(&service, "scope", json!(["a"]))),
        (None, "a service's without sub", without(&service, "sub")),
        (None, "a service's by name", with(&service, "sub", json!("reporter"))),
        (None, "a service of the nil id", with(&service, "sub", json!(uuid::Uuid::nil()))),
        (None, "a service's for others", with(&service, "aud", json!("billing"))),
        (None, "a service's of else", with(&service, "iss", json!("https://else.test"))),
        (None, "a user's with a client", with(&user, "client_id", json!(client))),
        (None, "a user's with client_id null", with(&user, "client_id", Value::Null)),
        (None, "a user's with act null", with(&user, "act", Value::Null)),
        (None, "a user's with an empty act", with(&user, "act", json!({}))),
    ];
    forge.family("services");
    of_kinds(forge, rows);
}

pub(super) fn delegations(forge: &mut Forge<'_>) {
    let (user, delegated) = (forge.known.user.clone(), forge.known.delegated.clone());
    let (act, scope) = (delegated["act"].clone(), delegated["scope"].clone());
    let client = text(&act, "client_id");
    let users = with(&with(&user, "scope", scope), "act", act.clone());
    let by = |actor: Value| with(&delegated, "act", actor);
    let actors = |actors| with(&delegated, "act", acting(forge, actors));
    let rows: Vec<Kind<'_>> = vec![
        (Some(Whose::Delegated), "one", delegated.clone()),
        (Some(Whose::Delegated), "three", actors(MAX_ACTORS)),
        (Some(Whose::Delegated), "one, with all that a user's token says", users),
        (None, "four", actors(MAX_ACTORS + 1)),
        (None, "twenty", actors(20)),
        (None, "nobody", by(json!({}))),
        (None, "null", by(Value::Null)),
        (None, "a list", by(json!([act]))),
        (None, "a text", by(json!(client))),
        (None, "one without sub", by(without(&act, "sub"))),
        (None, "one without client_id", by(without(&act, "client_id"))),
        (None, "one by name", by(with(&act, "sub", json!("reporter")))),
        (None, "one for a number", by(with(&act, "act", json!(1)))),
        (None, "without act", without(&delegated, "act")),
        (None, "without sid", without(&delegated, "sid")),
        (None, "without scope", without(&delegated, "scope")),
        (None, "without sub", without(&delegated, "sub")),
        (None, "with a client", with(&delegated, "client_id", json!(client))),
        (None, "for others", with(&delegated, "aud", json!(["billing"]))),
        (None, "for nobody", with(&delegated, "sub", json!(uuid::Uuid::nil()))),
    ];
    forge.family("acting for a user");
    of_kinds(forge, rows);
}

/// So many who act, one for the next.
fn acting(forge: &Forge<'_>, actors: usize) -> Value {
    let act = &forge.known.delegated["act"];
    (1..actors).fold(act.clone(), |before, _| with(act, "act", before))
}

fn of_kinds(forge: &mut Forge<'_>, rows: Vec<Kind<'_>>) {
    for (whose, name, payload) in rows {
        let token = forge.sign(&forge.header(), &payload);
        match whose {
            Some(whose) => forge.believed(name, &token, whose),
            None => forge.refused(name, &token),
        }
    }
}

/// Tokens that say each of these members once more, and the same.
fn twice_each(forge: &mut Forge<'_>, members: &[&str]) {
    for member in members {
        let payload = twice(&forge.known.user, member, &forge.known.user[*member]);
        let token = forge.sign_text(&forge.header().to_string(), &payload);
        forge.refused(&format!("{member} twice"), &token);
    }
}
