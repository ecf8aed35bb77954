//! Tables in CSV (RFC 4180) whose first record names the columns: records with
//! the lines they begin on, cells by the name of their column.

use std::collections::HashMap;

use csv::{Position, ReaderBuilder, StringRecord};

use super::{Fault, report::Report};

/// A table that is being read.
pub(super) struct Table<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    /// The columns by their names, in lower case.
    columns: HashMap<String, usize>,
    /// As the file calls them.
    header: StringRecord,
}

/// A record of a table.
pub(super) struct Record<'c> {
    /// Where it begins.
    pub(super) line: usize,
    cells: StringRecord,
    columns: &'c HashMap<String, usize>,
}

impl<'t> Table<'t> {
    /// Reads the names of the columns.
    ///
    /// # Errors
    /// If one of `needed` is not among them.
    pub(super) fn of(text: &'t str, needed: &[&str]) -> Result<Self, Fault> {
        let head = text.lines().next().unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(head))
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
        let mut columns = HashMap::new();
        for (place, name) in header.iter().enumerate() {
            columns.entry(name.trim().to_ascii_lowercase()).or_insert(place);
        }
        if let Some(missing) = needed.iter().find(|&&name| !columns.contains_key(name)) {
            return Err(Fault::at(1, format!("The table has no column `{missing}`.")));
        }
        Ok(Self { text, reader, columns, header })
    }

    /// The columns that are not among `known`, and those that are there twice.
    pub(super) fn others(&self, known: &[&str]) -> Vec<String> {
        let is_other = |&(place, name): &(usize, &str)| {
            let name = name.trim().to_ascii_lowercase();
            !known.contains(&name.as_str()) || self.columns.get(&name) != Some(&place)
        };
        self.header.iter().enumerate().filter(is_other).map(|(_, name)| name.to_owned()).collect()
    }

    /// The next record that is not empty, if there is one. One with more cells
    /// than there are columns is reported.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(super) fn next(&mut self, report: &mut Report) -> Result<Option<Record<'_>>, Fault> {
        let mut cells = StringRecord::new();
        while self.reader.read_record(&mut cells).map_err(|error| unreadable(&error))? {
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = cells.position().map(|at| self.line(at)).unwrap_or_default();
            if cells.iter().skip(self.header.len()).any(|cell| !cell.is_empty()) {
                report.add(line, "", "The row has more cells than there are columns.");
            }
            return Ok(Some(Record { line, cells, columns: &self.columns }));
        }
        Ok(None)
    }

    /// The line of a record that is found at, or after empty lines at, a place.
    fn line(&self, at: &Position) -> usize {
        let before = usize::try_from(at.byte()).ok().and_then(|byte| self.text.get(byte..));
        let empty = before.unwrap_or_default().bytes().take_while(|byte| b"\r\n".contains(byte));
        usize::try_from(at.line()).unwrap_or_default() + empty.filter(|&byte| byte == b'\n').count()
    }
}

impl Record<'_> {
    /// The cell in this column; empty if there is none.
    pub(super) fn cell(&self, column: &str) -> &str {
        let cell = self.columns.get(column).and_then(|&place| self.cells.get(place));
        cell.unwrap_or_default()
    }
}

/// What stands between cells. Where a comma stands in numbers, spreadsheets take
/// a semicolon.
fn delimiter(head: &str) -> u8 {
    [b',', b';', b'\t'].into_iter().find(|&byte| head.as_bytes().contains(&byte)).unwrap_or(b',')
}

fn unreadable(error: &csv::Error) -> Fault {
    let line = error.position().and_then(|at| usize::try_from(at.line()).ok());
    Fault::at(line.unwrap_or_default(), "The file is not CSV.")
}
