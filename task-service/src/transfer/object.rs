//! JSON objects that remember on which line they stand, and from which fields
//! are taken one by one: what is left over was not carried over.

use serde_json::{Map, Value, value::RawValue};

use super::{Fault, check::Check, line_at};

/// An object of a file.
pub(super) struct Object {
    pub(super) line: usize,
    fields: Map<String, Value>,
}

/// The parts of an array in `text`, each with the line it begins on.
///
/// # Errors
/// If `raw` is no array.
pub(super) fn parts<'t>(
    text: &'t str,
    raw: &'t RawValue,
    name: &str,
) -> Result<Vec<(usize, &'t RawValue)>, Fault> {
    let mut lines = Lines { text, at: 0, line: 1 };
    let first = lines.of(raw);
    let parts: Vec<&RawValue> = serde_json::from_str(raw.get())
        .map_err(|_| Fault::at(first, format!("`{name}` is not an array.")))?;
    Ok(parts.into_iter().map(|part| (lines.of(part), part)).collect())
}

/// Tells on which line parts of a text begin, asked in their order.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, part: &RawValue) -> usize {
        // A raw value is a piece of the text that it was read from.
        let at = part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        if let Some(between) = self.text.as_bytes().get(self.at..at) {
            self.line += line_at(between) - 1;
            self.at = at;
        }
        self.line
    }
}

impl Object {
    /// Reads an object; None if it is something else.
    pub(super) fn read(line: usize, raw: &RawValue) -> Option<Self> {
        let fields = serde_json::from_str(raw.get()).ok()?;
        Some(Self { line, fields })
    }

    /// Reads a field that is an object itself.
    pub(super) fn object(&mut self, check: &mut Check<'_>, name: &str) -> Option<Self> {
        match self.take(name)? {
            Value::Object(fields) => Some(Self { line: self.line, fields }),
            _ => wrong(check, name, "This is not an object."),
        }
    }

    /// Reads a text; empty if there is none.
    pub(super) fn text(&mut self, check: &mut Check<'_>, name: &str) -> String {
        match self.take(name) {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(_) => wrong(check, name, "This is not a text.").unwrap_or_default(),
        }
    }

    /// Reads several texts.
    pub(super) fn texts(&mut self, check: &mut Check<'_>, name: &str) -> Vec<String> {
        let texts = match self.take(name) {
            None => Ok(Vec::new()),
            Some(value) => serde_json::from_value(value),
        };
        check.keep(name, texts.map_err(|_| "These are not texts.")).unwrap_or_default()
    }

    /// Reads a number.
    pub(super) fn number(&mut self, check: &mut Check<'_>, name: &str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(number) => Some(number),
            None => wrong(check, name, "This is not a whole number."),
        }
    }

    /// Reads a yes or no; no if there is none.
    pub(super) fn flag(&mut self, check: &mut Check<'_>, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => wrong(check, name, "This is not true or false.").unwrap_or_default(),
        }
    }

    /// Passes over fields that say nothing about the task.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        self.fields.retain(|name, _| !names.contains(&name.as_str()));
    }

    /// Notes every field that nobody took.
    pub(super) fn end(self, check: &mut Check<'_>) {
        for (name, value) in &self.fields {
            if !value.is_null() {
                check.note(name, "This is not carried over.");
            }
        }
    }

    /// Takes a field; null is none.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }
}

fn wrong<T>(check: &mut Check<'_>, name: &str, why: &'static str) -> Option<T> {
    check.keep(name, Err::<T, _>(why))
}
