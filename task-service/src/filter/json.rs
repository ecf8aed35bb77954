//! The tree that `data.filter_sql` takes: `{"and": […]}`, `{"or": […]}`,
//! `{"not": …}` and `{"field": …, "op": …, "value": …}`, in which every day and
//! moment is a fixed one.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{
    Expression, day,
    term::{Comparison, Equality, Term},
    value::Status,
};

/// Stands for the title and the notes together.
const ANYWHERE: &str = "text";
/// The operators of a text that is somewhere in another and of a label that is
/// among others; and of a field that has anything in it.
const HAS: &str = ":";
const PRESENT: &str = ":*";

impl Expression {
    pub(super) fn json(&self, today: NaiveDate, zone: Tz) -> Value {
        let all =
            |parts: &[Self]| -> Value { parts.iter().map(|part| part.json(today, zone)).collect() };
        match self {
            Self::And(parts) => json!({ "and": all(parts) }),
            Self::Or(parts) => json!({ "or": all(parts) }),
            Self::Not(part) => json!({ "not": part.json(today, zone) }),
            Self::Term(term) => term.json(today, zone),
        }
    }
}

impl Term {
    fn json(&self, today: NaiveDate, zone: Tz) -> Value {
        let leaf = |field: &str, op: &str, value: Value| json!({ "field": field, "op": op, "value": value });
        match self {
            Self::Present(field) => leaf(field.name(), PRESENT, Value::Null),
            Self::Status(equality, status) => leaf("status", equality.sign(), status.name().into()),
            Self::Priority(comparison, priority) => {
                leaf("priority", comparison.sign(), priority.number().into())
            }
            Self::Due(comparison, day) => {
                leaf("due", comparison.sign(), day.on(today).to_string().into())
            }
            Self::Label(label) => leaf("labels", HAS, label.as_str().into()),
            Self::Reference(field, equality, reference) => {
                leaf(field.name(), equality.sign(), reference.id.to_string().into())
            }
            Self::Time(field, comparison, moment) => {
                leaf(field.name(), comparison.sign(), day::text(moment.at(today, zone)).into())
            }
            Self::Exactly(field, equality, text) => {
                leaf(field.name(), equality.sign(), text.as_str().into())
            }
            Self::Contains(field, text) => leaf(field.name(), HAS, text.as_str().into()),
            Self::Anywhere(text) => leaf(ANYWHERE, HAS, text.as_str().into()),
        }
    }
}

impl Equality {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Done => "DONE",
            Self::Cancelled => "CANCELLED",
        }
    }
}
