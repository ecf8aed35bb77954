//! Where recovery codes go: the answer, or a file that only its owner can read.
//!
//! Invariant: codes that were made are told. The file is begun before they are,
//! and if it cannot be ended, they are shown.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::super::{
    failure::Failure,
    output::{self, Output},
    transfer::taken,
};
use crate::cli::factors;

/// Where recovery codes go.
pub(super) enum Place {
    /// The answer.
    Answer,
    /// A file.
    File(CodesFile),
}

/// A file that is not in its place yet.
pub(super) struct CodesFile {
    file: NamedTempFile,
    path: PathBuf,
    force: bool,
}

impl Place {
    /// Makes the place that was named, before there is anything to put there.
    pub(super) fn made(named: &factors::Place) -> Result<Self, Failure> {
        let factors::Place { output, force } = named;
        let Some(path) = output.as_deref().filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Answer);
        };
        if !force && path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))
            .map_err(|error| Failure::file(path, &error))?;
        Ok(Self::File(CodesFile { file, path: path.to_owned(), force: *force }))
    }

    /// Puts the codes there; `done` and `about` are what else there is to tell.
    pub(super) fn show(
        self,
        codes: &[String],
        done: &str,
        about: Value,
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let Self::File(file) = self else {
            return tell(codes, done, about, output);
        };
        let path = file.path.clone();
        match file.write(codes) {
            Ok(()) => {
                let file = output::line(&path.display().to_string());
                let text = format!("{done} The recovery codes are in {file}.");
                Ok(output.show(&with(about, "file", json!(path)), || text)?)
            }
            Err(failure) => {
                tell(codes, done, about, output)?;
                Err(failure)
            }
        }
    }
}

impl CodesFile {
    fn write(self, codes: &[String]) -> Result<(), Failure> {
        let Self { mut file, path, force } = self;
        let written = (codes.iter())
            .try_for_each(|code| writeln!(file, "{}", output::line(code)))
            .and_then(|()| file.as_file().sync_all())
            .and_then(|()| {
                match force {
                    true => file.persist(&path),
                    false => file.persist_noclobber(&path),
                }
                .map_err(|error| error.error)
            });
        match written {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(&path)),
            Err(error) => Err(Failure::file(&path, &error)),
        }
    }
}

fn tell(
    codes: &[String],
    done: &str,
    about: Value,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let shown: Vec<_> = codes.iter().map(|code| format!("  {}", output::line(code))).collect();
    let text = format!(
        "{done}\n\nYour recovery codes, each good once in place of a code. Keep them where you \
         find them without your authenticator; they are shown only now:\n{}",
        shown.join("\n")
    );
    Ok(output.show(&with(about, "recoveryCodes", json!(codes)), || text)?)
}

/// An object with one more field.
fn with(object: Value, field: &str, value: Value) -> Value {
    let mut fields = match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.insert(field.to_owned(), value);
    Value::Object(fields)
}
