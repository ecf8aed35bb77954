//! The arguments of `export` and `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::owner::Proof;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// What the file shall look like [default: by the name of the file, else
    /// json].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ExportFormat>,
    /// The file to write; - is standard output (the default).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if there is one.
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Everything that is known of you, tasks included, as one JSON document.
    #[arg(long, conflicts_with = "format")]
    pub account: bool,
    /// How to prove who you are, if that was long ago.
    #[command(flatten)]
    pub proof: Proof,
}

/// What a file that is written can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Our own, lossless.
    Json,
    /// iCalendar with one VTODO a task.
    Ics,
    /// A table for spreadsheets.
    Csv,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The file to read, at most 4 MiB; - is standard input.
    pub file: PathBuf,
    /// What the file looks like [default: by its contents and its name].
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<ImportFormat>,
    /// The list for tasks whose file names none [default: the inbox].
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// Report only, and make nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What a file that is read can look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// Our own.
    Json,
    /// iCalendar with VTODOs.
    Ics,
    /// The table that `export` writes.
    Csv,
    /// The CSV that Todoist writes for a project.
    Todoist,
    /// The JSON of Google Tasks, as Google Takeout writes it.
    GoogleTasks,
}
