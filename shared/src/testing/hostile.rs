//! Tokens that nobody may believe: forged ones, and ones that a good key signed
//! and that are wrong all the same. One table for every service, which `Door`
//! shows to it.
//!
//! Invariant: every family of the table has tokens that are good, made in the
//! same way, so that a table which only ever makes rubbish is noticed.

mod door;
mod header;
mod members;
mod signature;
mod structure;
mod times;
mod transport;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub use self::door::{Call, Door};
use super::TestIssuer;

/// What a service believes: its issuer's key, and what good tokens say to it.
pub struct Believed<'i> {
    /// Who signs them.
    pub issuer: &'i TestIssuer,
    /// A token of a user who has a session.
    pub user: Value,
    /// A token of a service.
    pub service: Value,
    /// A token with which that service acts for the user.
    pub delegated: Value,
    /// The time that the service's clock shows, in seconds since 1970.
    pub now: i64,
    /// The longest lifetime that it believes, in seconds.
    pub longest: i64,
}

/// A call's `authorization`, and what has to come of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is special about it, the family first.
    pub name: String,
    /// The values of the header, as often as it is there.
    pub authorization: Vec<Vec<u8>>,
    /// What has to come of it.
    pub verdict: Verdict,
}

/// What has to come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is let in, as one of those.
    Believed(Whose),
    /// It is refused, and nothing is said of why.
    Refused,
    /// It is refused, and told that the token is too old.
    Expired,
    /// It is refused, and told that there is no token.
    Missing,
    /// It is refused, and told that the session has ended.
    Revoked,
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A user's.
    User,
    /// A service's.
    Service,
    /// A user's, in the hands of a service.
    Delegated,
}

impl Row {
    /// A call with one token.
    #[must_use]
    pub fn of(name: &str, token: &str, verdict: Verdict) -> Self {
        let authorization = vec![format!("Bearer {token}").into_bytes()];
        Self { name: name.to_owned(), authorization, verdict }
    }

    /// The rows that it belongs to.
    #[must_use]
    pub fn family(&self) -> &str {
        self.name.split_once(": ").map_or("", |(family, _)| family)
    }
}

/// Every token of the table.
#[must_use]
pub fn table(good: &Believed<'_>) -> Vec<Row> {
    let mut forge =
        Forge { known: good, stranger: TestIssuer::new(), family: "", rows: Vec::new() };
    header::algorithms(&mut forge);
    header::keys(&mut forge);
    header::types(&mut forge);
    header::rules(&mut forge);
    times::all(&mut forge);
    members::audiences_and_issuers(&mut forge);
    members::identifiers(&mut forge);
    members::types(&mut forge);
    members::kinds(&mut forge);
    members::delegations(&mut forge);
    structure::forms(&mut forge);
    structure::encodings(&mut forge);
    structure::sizes(&mut forge);
    signature::all(&mut forge);
    transport::schemes(&mut forge);
    forge.rows
}

/// Makes the rows, one family after the other.
struct Forge<'g> {
    known: &'g Believed<'g>,
    /// Nobody believes this one.
    stranger: TestIssuer,
    family: &'static str,
    rows: Vec<Row>,
}

impl Forge<'_> {
    /// Begins a family with a good token as it is.
    fn family(&mut self, family: &'static str) {
        self.family = family;
        self.good("as it should be", &self.token());
    }

    /// A token that is good as it is.
    fn token(&self) -> String {
        self.sign(&self.header(), &self.known.user)
    }

    fn header(&self) -> Value {
        self.known.issuer.header()
    }

    fn sign(&self, header: &Value, payload: &Value) -> String {
        self.known.issuer.sign(header, payload)
    }

    /// A good token with these texts instead, encoded and rightly signed.
    fn sign_text(&self, header: &str, payload: &str) -> String {
        self.known.issuer.sign_text(header, payload)
    }

    /// A good token whose header says this besides, or instead.
    fn with_header(&self, member: &str, value: Value) -> String {
        self.sign(&with(&self.header(), member, value), &self.known.user)
    }

    /// A good token of a user that says this besides, or instead.
    fn with_claim(&self, member: &str, value: Value) -> String {
        self.sign(&self.header(), &with(&self.known.user, member, value))
    }

    /// A good token of a user that does not say this.
    fn without_claim(&self, member: &str) -> String {
        self.sign(&self.header(), &without(&self.known.user, member))
    }

    fn good(&mut self, name: &str, token: &str) {
        self.believed(name, token, Whose::User);
    }

    fn believed(&mut self, name: &str, token: &str, whose: Whose) {
        self.row(name, token, Verdict::Believed(whose));
    }

    fn refused(&mut self, name: &str, token: &str) {
        self.row(name, token, Verdict::Refused);
    }

    fn expired(&mut self, name: &str, token: &str) {
        self.row(name, token, Verdict::Expired);
    }

    fn row(&mut self, name: &str, token: &str, verdict: Verdict) {
        self.rows.push(Row::of(&format!("{}: {name}", self.family), token, verdict));
    }

    /// A user's token refused for each of these values of a claim.
    fn refused_claims(&mut self, member: &str, values: &[Value]) {
        for value in values {
            let token = self.with_claim(member, value.clone());
            self.refused(&format!("{member} {value}"), &token);
        }
    }

    /// A token refused for each of these values of a header.
    fn refused_headers(&mut self, member: &str, values: &[Value]) {
        for value in values {
            let token = self.with_header(member, value.clone());
            self.refused(&format!("{member} {value}"), &token);
        }
    }

    /// A header that is there at all.
    fn header_text(&self, member: &str) -> String {
        text(&self.header(), member)
    }
}

fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[member] = value;
    object
}

fn without(object: &Value, member: &str) -> Value {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove(member);
    }
    object
}

/// A member that is a text.
fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_default().to_owned()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header, payload and signature.
fn parts(token: &str) -> [&str; 3] {
    let mut parts = token.split('.');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The text of an object with this member once more at its end.
fn twice(object: &Value, member: &str, value: &Value) -> String {
    besides(object, member, &value.to_string())
}

/// The text of an object with this member at its end, whatever it is.
fn besides(object: &Value, member: &str, written: &str) -> String {
    let text = object.to_string();
    let members = text.strip_suffix('}').unwrap_or_default();
    format!("{members},{}:{written}}}", json!(member))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::DateTime;

    use super::*;
    use crate::rng;

    #[test]
    fn every_row_has_a_name_and_every_family_a_good_token() {
        let issuer = TestIssuer::new();
        let (user, service) = (rng::uuid_v4(), rng::uuid_v4());
        let now = DateTime::from_timestamp(1_768_910_400, 0).unwrap();
        let rows = table(&Believed {
            issuer: &issuer,
            user: json!(issuer.claims(user, "test", now)),
            service: json!(issuer.service_claims(service, &["s"], "test", now)),
            delegated: json!(issuer.delegated_claims(user, service, &["s"], "test", now)),
            now: now.timestamp(),
            longest: 300,
        });
        let names: HashSet<&str> = rows.iter().map(|row| &*row.name).collect();
        assert_eq!(names.len(), rows.len());
        let believed = |row: &&Row| matches!(row.verdict, Verdict::Believed(_));
        let good: HashSet<&str> = rows.iter().filter(believed).map(Row::family).collect();
        assert_eq!(rows.iter().map(Row::family).collect::<HashSet<_>>(), good);
        // And no bad one is a good one, or another bad one.
        let tokens: HashSet<_> = rows.iter().map(|row| &row.authorization).collect();
        let good = rows.iter().filter(believed).count();
        assert!(tokens.len() + good >= rows.len(), "{} of {}", tokens.len(), rows.len());
        assert!(rows.len() - good >= 120);
    }
}
