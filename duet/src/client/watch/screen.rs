//! The list that `duet watch` draws on a terminal: the tasks in their manual
//! order, and below them what happened last.
//!
//! Invariant: the terminal is left as it was found, however the watching ends.

use std::{collections::VecDeque, io};

use chrono::Local;
use proto::task::v1::Task;
use shared::clock::{Clock as _, SystemClock};

use super::feed::{Feed, Kind, News, What};
use crate::client::{
    id,
    output::{self, Output},
    view::{self, Titles},
};

/// How much of what happened is shown.
const NOTES: usize = 5;
const LONGEST_TITLE: usize = 50;
/// Of a terminal that does not say how high it is.
const ROWS: usize = 24;
/// A list is drawn up to so few rows, however low the terminal is.
const FEWEST: usize = 3;

// ECMA-48, and the private modes of xterm that all of them know: the alternate
// screen and the cursor.
const OPEN: &[u8] = b"\x1b[?1049h\x1b[?25l";
const CLOSE: &[u8] = b"\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K\n";
const REST_OF_SCREEN: &str = "\x1b[J";

/// A terminal that is drawn on.
pub(super) struct Screen<'a, 'o> {
    output: &'a mut Output<'o>,
    filtered: bool,
    notes: VecDeque<String>,
}

impl<'a, 'o> Screen<'a, 'o> {
    /// Takes the terminal over. Unless the tasks are `filtered`, those that are
    /// closed are left out.
    pub(super) fn open(output: &'a mut Output<'o>, filtered: bool) -> io::Result<Self> {
        let screen = Self { output, filtered, notes: VecDeque::new() };
        screen.output.raw(OPEN)?;
        Ok(screen)
    }

    /// Remembers what happened.
    pub(super) fn note(&mut self, news: &[News]) {
        let now = SystemClock.now().with_timezone(&Local).format("%H:%M:%S");
        for News { kind, what } in news {
            let title = match (kind, what) {
                (Kind::Present | Kind::Current, _) | (_, What::Everything) => continue,
                (_, What::Task(task)) => output::line(&task.title),
                (_, What::List(list)) => format!("list {}", output::line(&list.title)),
            };
            self.notes.push_back(format!("{now}  {:<9}  {}", kind.word(), cut(&title)));
        }
        while self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }

    /// Draws what is known.
    pub(super) fn draw(&mut self, feed: &Feed) -> io::Result<()> {
        let rows = rustix::termios::tcgetwinsize(io::stdout())
            .map_or(ROWS, |size| usize::from(size.ws_row));
        let text = self.text(feed, if rows == 0 { ROWS } else { rows });
        let mut drawn = HOME.to_owned();
        for line in text.lines() {
            drawn += line;
            drawn += REST_OF_LINE;
        }
        self.output.raw((drawn + REST_OF_SCREEN).as_bytes())?;
        self.output.flush()
    }

    fn text(&self, feed: &Feed, rows: usize) -> String {
        let titles: Titles = feed.lists().collect();
        let mut tasks: Vec<&Task> =
            feed.tasks().filter(|task| self.filtered || !view::is_closed(task)).collect();
        let place = |task: &Task| {
            let list = feed.lists().find(|list| list.name == task.list);
            list.map(|list| list.position.clone()).unwrap_or_default()
        };
        tasks.sort_by_cached_key(|task| {
            (id::last(&task.list) != "inbox", place(task), task.list.clone(), task.position.clone())
        });
        let what = match (tasks.len(), self.filtered) {
            (1, true) => "1 task".to_owned(),
            (1, false) => "1 open task".to_owned(),
            (count, true) => format!("{count} tasks"),
            (count, false) => format!("{count} open tasks"),
        };
        let mut text = format!("{what}; Ctrl-C ends.\n\n");
        // The two lines above, what happened with a blank line before it, how
        // many are left out, and the line on which the cursor stands.
        let room = rows.saturating_sub(self.notes.len() + 5).max(FEWEST);
        let tree = view::tree(&tasks);
        if !tree.is_empty() {
            let table = view::table(&tree[..tree.len().min(room)], &titles, false);
            // A long title takes several lines.
            for line in table.lines().take(room) {
                text += &format!("{line}\n");
            }
        }
        if tree.len() > room {
            text += &format!("… and {} more\n", tree.len() - room);
        }
        if !self.notes.is_empty() {
            text += "\n";
        }
        self.notes.iter().for_each(|note| text += &format!("{note}\n"));
        text
    }
}

impl Drop for Screen<'_, '_> {
    fn drop(&mut self) {
        // If it cannot be written, nobody sees it either.
        drop(self.output.raw(CLOSE).and_then(|()| self.output.flush()));
    }
}

fn cut(title: &str) -> String {
    match title.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title.to_owned(),
    }
}
