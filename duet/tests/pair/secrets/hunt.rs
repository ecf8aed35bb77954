//! Looking for secrets, in whatever form somebody may have written them down:
//! as they are, in hex, in base64 of either alphabet at any place of a longer
//! text.
//!
//! Invariant: a search that finds nothing proves nothing by itself, so in every
//! place there is something that has to be found, too.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Anything shorter is found by chance.
const LEAST_BYTES: usize = 8;
/// What tokens of ours begin with, but for the secrets of service accounts.
const PREFIXES: [&str; 5] = ["rt1.", "dp1.", "dc1.", "dm_", "dr_"];
/// How many digits an authenticator shows.
const DIGITS: usize = 6;

/// Where is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// All rows of all tables of both databases.
    Rows,
    /// The files that Postgres keeps, its write-ahead log among them.
    Files,
    /// Every statement that was sent to Postgres, with its parameters.
    Statements,
    /// What the services logged.
    Log,
    /// The environment of every process.
    Environment,
    /// The command line of every process.
    Arguments,
    /// The files of the repository.
    Repository,
}

use Place::{Arguments, Environment, Files, Log, Repository, Rows, Statements};

/// Everywhere that a database, or whoever runs it, sees.
pub(crate) const DATABASE: [Place; 3] = [Rows, Files, Statements];
/// The places that are text, where even six digits can be looked for; of rows, those
/// of the services themselves are.
const TEXTS: [Place; 4] = [Statements, Log, Environment, Arguments];

/// Something that is looked for.
struct Wanted {
    name: String,
    /// Where it has to be.
    must: Vec<Place>,
    found: BTreeSet<Place>,
}

/// What is looked for, and where it was found so far.
#[derive(Default)]
pub(crate) struct Hunt {
    wanted: Vec<Wanted>,
    /// Every form of everything, and what it is a form of.
    forms: Vec<(Vec<u8>, usize)>,
    /// Six digits, which only count as a word of their own.
    codes: Vec<(String, usize)>,
}

impl Hunt {
    /// Looks for something that must be nowhere.
    pub(crate) fn secret(&mut self, name: &str, bytes: impl AsRef<[u8]>) {
        self.known(name, bytes, &[]);
    }

    /// Looks for something that must be in some places, and nowhere else.
    pub(crate) fn known(&mut self, name: &str, bytes: impl AsRef<[u8]>, places: &[Place]) {
        let bytes = bytes.as_ref();
        assert!(bytes.len() >= LEAST_BYTES, "{name} is too short");
        let owner = self.want(name, places);
        self.forms.extend(forms(bytes).into_iter().map(|form| (form, owner)));
    }

    /// Looks for a token that must be nowhere: for all of it, and for what of it
    /// nobody can know.
    pub(crate) fn token(&mut self, name: &str, token: &str) {
        self.secret(name, token);
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        if let [_, payload, signature] = token.split('.').collect::<Vec<_>>()[..] {
            self.secret(&format!("{name}: what it says"), decode(payload));
            self.secret(&format!("{name}: its signature"), decode(signature));
            return;
        }
        let plain = PREFIXES.iter().find_map(|prefix| token.strip_prefix(prefix));
        // The name of a service account has no underscore.
        let named = || Some(token.strip_prefix("ds_")?.split_once('_')?.1);
        let bytes = decode(plain.or_else(named).expect("a token with a prefix"));
        // In front stands whose it is, behind a checksum.
        self.secret(&format!("{name}: its secret part"), &bytes[bytes.len() - 36..bytes.len() - 4]);
    }

    /// Looks for a code that somebody typed.
    pub(crate) fn code(&mut self, name: &str, code: &str, places: &[Place]) {
        assert_eq!(code.len(), DIGITS);
        let owner = self.want(name, places);
        self.codes.push((code.to_owned(), owner));
    }

    fn want(&mut self, name: &str, places: &[Place]) -> usize {
        let (name, must) = (name.to_owned(), places.to_vec());
        self.wanted.push(Wanted { name, must, found: BTreeSet::new() });
        self.wanted.len() - 1
    }

    /// Looks through what is in `place`, for everything.
    pub(crate) fn search(&mut self, place: Place, contents: impl IntoIterator<Item = Vec<u8>>) {
        let patterns = self.forms.iter().map(|(form, _)| form);
        let patterns = AhoCorasick::new(patterns).expect("patterns");
        for content in contents {
            for found in patterns.find_overlapping_iter(&content) {
                let (_, owner) = self.forms[found.pattern().as_usize()];
                self.wanted[owner].found.insert(place);
            }
            if TEXTS.contains(&place) {
                self.search_codes(place, &String::from_utf8_lossy(&content));
            }
        }
    }

    /// Looks for codes in a text in which few numbers of six digits stand alone.
    pub(crate) fn search_codes(&mut self, place: Place, text: &str) {
        let words: BTreeSet<&str> = words(text).collect();
        for (code, owner) in &self.codes {
            if words.contains(code.as_str()) {
                self.wanted[*owner].found.insert(place);
            }
        }
    }

    /// What is where it must not be, and what was not found where it is.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for Wanted { name, must, found } in &self.wanted {
            let must: BTreeSet<Place> = must.iter().copied().collect();
            let leaks = found.difference(&must);
            faults.extend(leaks.map(|place| format!("{name} is in {place:?}")));
            let blind = must.difference(found);
            faults.extend(blind.map(|place| format!("{name} was not found in {place:?}")));
        }
        faults
    }

    /// How many things are looked for.
    pub(crate) const fn len(&self) -> usize {
        self.wanted.len()
    }
}

/// The numbers of six digits that stand alone, fractions of seconds left out.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '.';
    let six = |word: &&str| word.len() == DIGITS && word.bytes().all(|byte| byte.is_ascii_digit());
    text.split(ends).map(|word| word.trim_matches('.')).filter(six)
}

/// Whether a file holds a private key, or a token or a secret of ours.
pub(crate) fn looks_secret(file: &[u8]) -> bool {
    let text = String::from_utf8_lossy(file);
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let long = |text: &str| text.len() > 40 && URL_SAFE_NO_PAD.decode(text).is_ok();
    let ours = |word: &str| {
        let plain = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix));
        plain.or_else(|| Some(word.strip_prefix("ds_")?.split_once('_')?.1)).is_some_and(long)
    };
    let signed = |word: &str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && parts.iter().all(|part| part.len() > 20) && word.starts_with("eyJ")
    };
    text.contains(concat!("PRIVATE KEY", "-----"))
        || text.split(|c| !part(c)).any(|word| ours(word) || signed(word))
}

/// The ways to write these bytes down.
fn forms(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms =
        BTreeSet::from([bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()]);
    for before in 0..3 {
        let shifted = [&[0; 3][..before], bytes].concat();
        // What only depends on these bytes, whatever stands before and behind.
        let (first, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            forms.insert(engine.encode(&shifted).as_bytes()[first..end].to_vec());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever in a longer text, and in whatever form.
    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret: Vec<u8> = (100..132).map(|n: u8| n.wrapping_mul(37)).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for before in 0..5 {
            for behind in 0..4 {
                let long = [&b"abcde"[..before], &secret, &b"vwxy"[..behind]].concat();
                let texts = [
                    long.clone(),
                    hex(&long).into_bytes(),
                    hex(&long).to_uppercase().into_bytes(),
                    STANDARD_NO_PAD.encode(&long).into_bytes(),
                    URL_SAFE_NO_PAD.encode(&long).into_bytes(),
                ];
                for text in texts {
                    let mut hunt = Hunt::default();
                    hunt.secret("it", &secret);
                    hunt.search(Rows, [text[..text.len() / 2].to_vec()]);
                    assert_eq!(hunt.faults(), Vec::<String>::new());
                    hunt.search(Rows, [text]);
                    assert_eq!(hunt.faults(), ["it is in Rows"], "{before} {behind}");
                }
            }
        }
    }

    /// A code is a word, and a fraction of a second is none.
    #[test]
    fn a_code_is_found_where_it_stands_alone() {
        let found = |text: &str| {
            let mut hunt = Hunt::default();
            hunt.code("it", "123456", &[Log]);
            hunt.search(Log, [text.as_bytes().to_vec()]);
            hunt.faults().is_empty()
        };
        let row = "(7,\"Ada 123456\",\"{\"\"code\"\": 123456}\",)";
        for there in ["code=123456", "\"123456\"", "Totp(123456)", "It is 123456.", row] {
            assert!(found(there), "{there}");
        }
        let hash = "\\x00123456";
        for not in ["1234567", "a123456", "12:00:00.123456Z", hash, "12345 6", ""] {
            assert!(!found(not), "{not}");
        }
    }

    /// As they would be committed by mistake.
    #[test]
    fn what_looks_like_a_secret_is_found() {
        let long = URL_SAFE_NO_PAD.encode([7; 36]);
        for secret in [
            format!("token = \"rt1.{long}\""),
            format!("ds_task-service_{long}\n"),
            format!("Bearer eyJ{long}.{long}.{long};"),
            concat!("-----BEGIN PRIVATE KEY", "-----").to_owned(),
        ] {
            assert!(looks_secret(secret.as_bytes()), "{secret}");
        }
        for other in ["rt1.", "ds_task-service_", "eyJ.eyJ.x", "PRIVATE KEY"] {
            assert!(!looks_secret(other.as_bytes()), "{other}");
        }
    }

    /// What must be in a place and is not there is a fault as well.
    #[test]
    fn a_search_that_finds_nothing_is_noticed() {
        let mut hunt = Hunt::default();
        hunt.known("a canary", "yellow-bird", &[Repository, Environment]);
        hunt.search(Environment, [b"A=yellow-bird\0".to_vec()]);
        assert_eq!(hunt.faults(), ["a canary was not found in Repository"]);
    }
}
