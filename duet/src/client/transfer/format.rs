//! What a file of tasks looks like: by what the user says, else by what stands
//! in it and what it is called.

use std::path::Path;

use proto::task::v1::TransferFormat;
use serde_json::Value;

use crate::{
    cli::transfer::{ExportFormat, ImportFormat},
    client::failure::Failure,
};

/// The format to write into a file of this name; without a file, JSON.
pub(super) fn to_write(path: Option<&Path>) -> Result<ExportFormat, Failure> {
    match path.map(extension).as_deref() {
        None | Some("json") => Ok(ExportFormat::Json),
        Some("ics") => Ok(ExportFormat::Ics),
        Some("csv") => Ok(ExportFormat::Csv),
        Some(_) => Err(Failure::usage(
            "The name of the file does not say what it shall look like; say it with --format \
             json, ics or csv.",
        )),
    }
}

/// What the service calls a format to write.
pub(super) fn of_export(format: ExportFormat) -> TransferFormat {
    match format {
        ExportFormat::Json => TransferFormat::Json,
        ExportFormat::Ics => TransferFormat::Icalendar,
        ExportFormat::Csv => TransferFormat::Csv,
    }
}

/// What the service calls a format to read.
pub(super) fn of_import(format: ImportFormat) -> TransferFormat {
    match format {
        ImportFormat::Json => TransferFormat::Json,
        ImportFormat::Ics => TransferFormat::Icalendar,
        ImportFormat::Csv => TransferFormat::Csv,
        ImportFormat::Todoist => TransferFormat::TodoistCsv,
        ImportFormat::GoogleTasks => TransferFormat::GoogleTasksJson,
    }
}

/// What people call it.
pub(super) fn words(format: TransferFormat) -> &'static str {
    match format {
        TransferFormat::Unspecified => "an unknown format",
        TransferFormat::Json => "JSON of Duet",
        TransferFormat::Icalendar => "iCalendar",
        TransferFormat::Csv => "CSV of Duet",
        TransferFormat::TodoistCsv => "CSV of Todoist",
        TransferFormat::GoogleTasksJson => "JSON of Google Tasks",
    }
}

/// The format that a file seems to have. What stands in it counts more than
/// what it is called.
pub(super) fn seen(data: &[u8], path: &Path) -> Result<TransferFormat, Failure> {
    let text = String::from_utf8_lossy(data);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_start();
    let begins = |start: &str| {
        text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
    };
    if begins("BEGIN:VCALENDAR") {
        return Ok(TransferFormat::Icalendar);
    }
    if text.starts_with(['{', '[']) {
        return Ok(if is_google(text) {
            TransferFormat::GoogleTasksJson
        } else {
            TransferFormat::Json
        });
    }
    let header: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
    let has = |name: &str| header.iter().any(|cell| cell.trim().trim_matches('"') == name);
    if has("TYPE") && has("CONTENT") {
        return Ok(TransferFormat::TodoistCsv);
    }
    match extension(path).as_str() {
        "json" => Ok(TransferFormat::Json),
        "ics" => Ok(TransferFormat::Icalendar),
        "csv" => Ok(TransferFormat::Csv),
        _ if has("title") => Ok(TransferFormat::Csv),
        _ => {
            Err(Failure::usage("It cannot be told what the file looks like; say it with --format."))
        }
    }
}

fn is_google(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    value["kind"].as_str().is_some_and(|kind| kind.starts_with("tasks#"))
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: &str, path: &str) -> Option<TransferFormat> {
        seen(data.as_bytes(), Path::new(path)).ok()
    }

    #[test]
    fn files_are_told_apart_by_what_stands_in_them() {
        use TransferFormat as F;
        for (data, path, expected) in [
            ("BEGIN:VCALENDAR\r\nVERSION:2.0", "x.txt", F::Icalendar),
            ("\u{feff}begin:vcalendar\n", "-", F::Icalendar),
            (r#" {"version":1}"#, "x", F::Json),
            (r#"{"kind":"tasks#taskLists","items":[]}"#, "Tasks.json", F::GoogleTasksJson),
            ("\u{feff}TYPE,CONTENT,DESCRIPTION\n", "Home.csv", F::TodoistCsv),
            ("\"TYPE\",\"CONTENT\"\n", "-", F::TodoistCsv),
            ("title,notes\n", "-", F::Csv),
            ("list,title\n", "x.CSV", F::Csv),
            // Broken, but the service can say why.
            ("", "x.ics", F::Icalendar),
            ("oops", "x.json", F::Json),
        ] {
            assert_eq!(told(data, path), Some(expected), "{data} in {path}");
        }
        assert_eq!(told("", "-"), None);
        assert_eq!(told("hello", "x.txt"), None);
    }

    #[test]
    fn a_file_is_written_as_its_name_says() {
        let format = |path| to_write(path).ok();
        assert_eq!(format(None), Some(ExportFormat::Json));
        assert_eq!(format(Some(Path::new("a/b.ICS"))), Some(ExportFormat::Ics));
        assert_eq!(format(Some(Path::new("b.csv"))), Some(ExportFormat::Csv));
        assert_eq!(format(Some(Path::new("b"))), None);
    }
}
