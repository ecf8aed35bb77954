//! Tasks as files: what is taken out of an account, and what is brought in. Each
//! format has a module of its own; docs/transfer.md says what each can carry.
//!
//! A file is read into drafts, the drafts become a bundle, and a bundle is stored
//! by one call. Invariant: whatever of a readable file is not in the bundle is in
//! the report.

mod bundle;
mod check;
mod csv;
mod draft;
mod export;
mod google_tasks;
mod icalendar;
mod json;
mod object;
mod pieces;
mod report;
mod table;
mod todoist;
mod tree;
mod words;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use proto::task::v1::TransferFormat;

use self::draft::Drafts;
pub use self::{
    bundle::{Bundle, Import, Imported, import},
    export::export,
    pieces::Pieces,
    report::{Note, Report},
};
use crate::service::Quotas;

/// The largest file that is read.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own.
    Json,
    /// RFC 5545.
    ICalendar,
    /// RFC 4180.
    Csv,
    /// Todoist's CSV; only read.
    Todoist,
    /// The JSON of Google Tasks; only read.
    GoogleTasks,
}

/// Why nothing of a file can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what it should be.
    Unreadable {
        /// The line that shows it, from 1; 0 for the whole file.
        line: usize,
        /// In words for the caller.
        reason: Cow<'static, str>,
    },
    /// It has more tasks than a user may have.
    TooManyTasks,
    /// It has more lists than a user may have.
    TooManyLists,
}

impl Format {
    /// Reads the format of a request.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(number: i32) -> Result<Self, &'static str> {
        match TransferFormat::try_from(number) {
            Ok(TransferFormat::Json) => Ok(Self::Json),
            Ok(TransferFormat::Icalendar) => Ok(Self::ICalendar),
            Ok(TransferFormat::Csv) => Ok(Self::Csv),
            Ok(TransferFormat::TodoistCsv) => Ok(Self::Todoist),
            Ok(TransferFormat::GoogleTasksJson) => Ok(Self::GoogleTasks),
            Ok(TransferFormat::Unspecified) => Err("Say what the file looks like."),
            Err(_) => Err("There is no such format."),
        }
    }

    /// Whether files of this format are written too.
    #[must_use]
    pub fn is_written(self) -> bool {
        matches!(self, Self::Json | Self::ICalendar | Self::Csv)
    }

    /// Its name in requests, for what sums them up.
    #[must_use]
    pub fn name(self) -> &'static str {
        let format = match self {
            Self::Json => TransferFormat::Json,
            Self::ICalendar => TransferFormat::Icalendar,
            Self::Csv => TransferFormat::Csv,
            Self::Todoist => TransferFormat::TodoistCsv,
            Self::GoogleTasks => TransferFormat::GoogleTasksJson,
        };
        format.as_str_name()
    }
}

impl Fault {
    fn at(line: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unreadable { line, reason: reason.into() }
    }
}

/// Reads a file: what can be stored of it, and what cannot.
///
/// # Errors
/// If nothing of it can be used.
pub fn read(
    format: Format,
    data: &[u8],
    now: DateTime<Utc>,
    quotas: Quotas,
) -> Result<(Bundle, Report), Fault> {
    if data.len() > MOST_BYTES {
        return Err(Fault::at(0, "A file has at most 4 MiB."));
    }
    let text = std::str::from_utf8(data).map_err(|error| {
        let good = data.get(..error.valid_up_to()).unwrap_or_default();
        Fault::at(line_at(good), "The file is not in UTF-8.")
    })?;
    // Spreadsheets begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut drafts = Drafts::new(now, quotas);
    match format {
        Format::Json => json::read(text, &mut drafts)?,
        Format::ICalendar => icalendar::read(text, &mut drafts)?,
        Format::Csv => csv::read(text, &mut drafts)?,
        Format::Todoist => todoist::read(text, &mut drafts)?,
        Format::GoogleTasks => google_tasks::read(text, &mut drafts)?,
    }
    Ok(Bundle::of(drafts))
}

/// The line on which a text ends, from 1.
fn line_at(text: &[u8]) -> usize {
    1 + text.iter().filter(|&&byte| byte == b'\n').count()
}
