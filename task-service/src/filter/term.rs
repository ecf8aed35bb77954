//! The terms of a filter: what may be said of which field.
//!
//! Invariant: a comparison that makes no sense for its field, or a value that
//! is not of its kind, has no term.

use shared::name::Who;

use super::{
    day::{Day, Moment},
    lexer::Sign,
    value::{self, Argument, Reference, Status, something},
};
use crate::{
    task::Priority,
    wire::{LISTS, TASKS},
};

/// How much of a word that is not known is repeated.
const SHOWN: usize = 50;

const RECURRENCE: &str = "it can only be asked whether there is one, by recurrence:*.";
const EQUALITY: &str = "this field is compared by =, != or a colon.";

/// What a filter can ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Status,
    Priority,
    Due,
    Labels,
    List,
    ParentTask,
    CreateTime,
    UpdateTime,
    CompleteTime,
    DeleteTime,
    Title,
    Notes,
    Recurrence,
}

/// What a filter says of a task, apart from AND, OR and NOT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// There is something in this field.
    Present(Field),
    /// The status is this one, or is not.
    Status(Equality, Status),
    Priority(Comparison, Priority),
    /// Compares the civil date.
    Due(Comparison, Day),
    Label(String),
    /// The list or the parent is this one, or is not.
    Reference(Field, Equality, Reference),
    Time(Field, Comparison, Moment),
    /// The title or the notes are exactly this, or are not.
    Exactly(Field, Equality, String),
    /// The title or the notes have this in them, whatever its case.
    Contains(Field, String),
    /// The title or the notes have this in them.
    Anywhere(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Equality {
    Equal,
    NotEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Why a field cannot be compared like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    Sign(&'static str),
    Value(&'static str),
}

impl Field {
    const ALL: [Self; 13] = [
        Self::Status,
        Self::Priority,
        Self::Due,
        Self::Labels,
        Self::List,
        Self::ParentTask,
        Self::CreateTime,
        Self::UpdateTime,
        Self::CompleteTime,
        Self::DeleteTime,
        Self::Title,
        Self::Notes,
        Self::Recurrence,
    ];

    /// The field with this name.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| {
            let name: String = name.escape_debug().take(SHOWN).collect();
            let known = Self::ALL.map(Self::name).join(", ");
            format!("there is no field `{name}`; there are {known}.")
        })
    }

    /// Its name, in filters as in the tree.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Priority => "priority",
            Self::Due => "due",
            Self::Labels => "labels",
            Self::List => "list",
            Self::ParentTask => "parent_task",
            Self::CreateTime => "create_time",
            Self::UpdateTime => "update_time",
            Self::CompleteTime => "complete_time",
            Self::DeleteTime => "delete_time",
            Self::Title => "title",
            Self::Notes => "notes",
            Self::Recurrence => "recurrence",
        }
    }
}

impl Term {
    /// A text to look for.
    pub(super) fn anywhere(text: String) -> Result<Self, &'static str> {
        something(text).map(Self::Anywhere)
    }

    /// `field sign argument`.
    pub(super) fn comparison(field: Field, sign: Sign, argument: Argument) -> Result<Self, Misfit> {
        if argument.is_star() {
            return match sign {
                Sign::Has => Ok(Self::Present(field)),
                _ => Err(Misfit::Sign("the star stands after a colon, as in due:*.")),
            };
        }
        Ok(match field {
            Field::Status => Self::Status(equality(sign)?, value::status(argument)?),
            Field::Priority => Self::Priority(comparison(sign), value::priority(argument)?),
            Field::Due => Self::Due(comparison(sign), value::day(argument)?),
            Field::Labels => Self::Label(label(sign, argument)?),
            Field::List => {
                Self::Reference(field, equality(sign)?, value::reference(LISTS, argument)?)
            }
            Field::ParentTask => {
                Self::Reference(field, equality(sign)?, value::reference(TASKS, argument)?)
            }
            Field::CreateTime | Field::UpdateTime | Field::CompleteTime | Field::DeleteTime => {
                Self::Time(field, comparison(sign), value::moment(argument)?)
            }
            Field::Title | Field::Notes => within(field, sign, argument)?,
            Field::Recurrence => return Err(Misfit::Value(RECURRENCE)),
        })
    }

    /// The user under whom something is named here.
    pub(super) const fn owner(&self) -> Option<Who> {
        match self {
            Self::Reference(_, _, reference) => reference.owner,
            _ => None,
        }
    }
}

impl From<&'static str> for Misfit {
    fn from(expected: &'static str) -> Self {
        Self::Value(expected)
    }
}

fn equality(sign: Sign) -> Result<Equality, Misfit> {
    match sign {
        Sign::Equal | Sign::Has => Ok(Equality::Equal),
        Sign::NotEqual => Ok(Equality::NotEqual),
        Sign::Less | Sign::LessOrEqual | Sign::Greater | Sign::GreaterOrEqual => {
            Err(Misfit::Sign(EQUALITY))
        }
    }
}

const fn comparison(sign: Sign) -> Comparison {
    match sign {
        Sign::Equal | Sign::Has => Comparison::Equal,
        Sign::NotEqual => Comparison::NotEqual,
        Sign::Less => Comparison::Less,
        Sign::LessOrEqual => Comparison::LessOrEqual,
        Sign::Greater => Comparison::Greater,
        Sign::GreaterOrEqual => Comparison::GreaterOrEqual,
    }
}

fn label(sign: Sign, argument: Argument) -> Result<String, Misfit> {
    if sign != Sign::Has {
        return Err(Misfit::Sign("labels are asked for by a colon, as in labels:home."));
    }
    Ok(something(argument.text().ok_or("expected a label.")?)?)
}

fn within(field: Field, sign: Sign, argument: Argument) -> Result<Term, Misfit> {
    let text = argument.text().ok_or("expected a text.")?;
    match sign {
        Sign::Has => Ok(Term::Contains(field, something(text)?)),
        sign => Ok(Term::Exactly(field, equality(sign)?, text)),
    }
}
