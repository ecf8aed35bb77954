//! The file that takes what the server prints. It is begun afresh at a start
//! that finds it long; error texts quote what this start added to it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use crate::Error;

/// A longer log is begun afresh at the next start.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// How much of its end is read for an error text.
const QUOTED_BYTES: u64 = 16 * 1024;

/// An open log. Root opens it for the server, which then needs no right to it.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    /// Where this start's output begins.
    start: u64,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let open = || -> io::Result<Self> {
            let file =
                OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
            if file.metadata()?.len() > MAX_BYTES {
                file.set_len(0)?;
            }
            let start = file.metadata()?.len();
            Ok(Self { file, start })
        };
        open().map_err(Error::folder(path))
    }

    /// For the server's output.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The end of what this start added. Reads the open file, which may have
    /// been removed with its folder.
    pub(crate) fn text(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let end = self.file.metadata()?.len();
            let from = end.saturating_sub(QUOTED_BYTES).max(self.start);
            let mut bytes = vec![0; usize::try_from(end.saturating_sub(from)).unwrap_or_default()];
            self.file.read_exact_at(&mut bytes, from)?;
            Ok(bytes)
        };
        read().map_or_else(
            |error| format!("(the log cannot be read: {error})"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// Whether the server refused to start because an earlier one, or a part of
    /// it, is still there: that passes within moments.
    pub(crate) fn shows_handover(&self) -> bool {
        let text = self.text();
        text.contains("lock file \"") || text.contains("shared memory block")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn only_the_words_of_this_start_are_quoted_and_a_long_log_begins_afresh() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        writeln!(Log::open(&path).unwrap().handle().unwrap(), "earlier").unwrap();
        let log = Log::open(&path).unwrap();
        writeln!(log.handle().unwrap(), "now").unwrap();
        assert_eq!(log.text(), "now\n");

        log.file.set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(Log::open(&path).unwrap().file.metadata().unwrap().len(), 0);
    }
}
