//! What may be asked of tasks: a subset of AIP-160, which docs/filter.md
//! explains to those who write filters. A filter is read once, into terms that
//! can only be meant, and goes to the database as a tree of them.
//!
//! Invariant: what a filter says becomes SQL in `data.filter_sql` and nowhere
//! else; no text of SQL is made here.

mod day;
mod json;
mod lexer;
mod parser;
mod term;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use chrono::NaiveDate;
use chrono_tz::Tz;
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name::Who,
};

use self::term::Term;

/// The longest filter.
pub const MAX_BYTES: usize = 1024;
/// The most comparisons and words in a filter.
pub const MAX_TERMS: usize = 32;
/// How deep parentheses may stand in each other.
pub const MAX_DEPTH: usize = 8;

/// Reads the IANA name of the time zone that a filter's days are in. Empty means
/// UTC.
///
/// # Errors
/// In words for the caller.
pub fn zone(name: &str) -> Result<Tz, &'static str> {
    match name {
        "" => Ok(Tz::UTC),
        name => name.parse().map_err(|_| "A time zone has an IANA name such as Europe/Paris."),
    }
}

/// What is asked of a task. The default asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    root: Option<Expression>,
}

/// A filter or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

/// Why a filter cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The character that the fault begins with, from 1.
    pub position: usize,
    /// What was expected there, in a sentence for the caller.
    pub message: String,
}

impl Filter {
    /// Reads a filter. One of nothing but blanks asks nothing.
    ///
    /// # Errors
    /// The first fault in it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        parser::parse(text).map(|root| Self { root })
    }

    /// Reads the field `field`. None if it cannot be read, which `fields` has
    /// then noted as FILTER_INVALID.
    ///
    /// # Errors
    /// PERMISSION_DENIED (NOT_YOURS) at once if it names a list or a task of
    /// another user.
    pub fn read(
        fields: &mut Fields,
        field: &str,
        text: &str,
        caller: &Identity,
    ) -> Result<Option<Self>, Failure> {
        let parsed = fields.read_as(Reason::FilterInvalid, field, Self::parse(text));
        let Some(filter) = parsed else { return Ok(None) };
        let mut owners = Vec::new();
        if let Some(root) = &filter.root {
            root.owners(&mut owners);
        }
        owners.into_iter().try_for_each(|who| who.of(caller).map(drop))?;
        Ok(Some(filter))
    }

    /// Whether it asks nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The filter as `data.filter_sql` takes it, on the day `today` of somebody
    /// in `zone`. Null if it asks nothing.
    #[must_use]
    pub fn json(&self, today: NaiveDate, zone: Tz) -> serde_json::Value {
        self.root.as_ref().map_or(serde_json::Value::Null, |root| root.json(today, zone))
    }
}

impl Expression {
    /// The users whose lists and tasks are named in it.
    fn owners(&self, found: &mut Vec<Who>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.owners(found));
            }
            Self::Not(part) => part.owners(found),
            Self::Term(term) => found.extend(term.owner()),
        }
    }
}

impl Fault {
    fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The filter cannot be read at character {}: {}", self.position, self.message)
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}
