//! The arguments of the commands about tasks. What is given stands in an
//! `Option`, so that what is not given can stay as it is.

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use super::TASK_HELP;
use crate::client::{
    due::{self, Moment},
    query, repeat,
};

/// How much a task matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// It can wait.
    Low,
    /// It should not wait long.
    Medium,
    /// It comes first.
    High,
}

/// Arguments of `add`.
#[derive(Debug, Args)]
pub struct Add {
    /// What is to be done; several words need no quotes.
    #[arg(required = true)]
    pub title: Vec<String>,
    /// Notes on it.
    #[arg(long, default_value = "")]
    pub notes: String,
    /// The day it is due: 2026-12-24.
    #[arg(long, value_name = "DATE", value_parser = due::date)]
    pub due: Option<NaiveDate>,
    /// The time of that day: 18:00.
    #[arg(long, value_name = "TIME", value_parser = due::minute, requires = "due")]
    pub at: Option<i32>,
    /// The time zone of that time, as Europe/Paris; without it, wherever you
    /// are.
    #[arg(long, requires = "at")]
    pub zone: Option<String>,
    /// The list it goes to [default: the inbox, or the list of its parent].
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// The task it is a step of.
    #[arg(long, value_name = "ID")]
    pub parent: Option<String>,
    /// How much it matters.
    #[arg(long, value_name = "LEVEL")]
    pub priority: Option<Level>,
    /// A label; may be given many times.
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// How it comes back: daily, weekdays, weekly, monthly, yearly, or an RRULE
    /// as FREQ=WEEKLY;BYDAY=MO,TH (RFC 5545). Needs --due.
    #[arg(long, value_name = "RULE", value_parser = repeat::rule, requires = "due")]
    pub repeat: Option<String>,
    /// Count from the day it was completed, not from the day it was due.
    #[arg(long, requires = "repeat")]
    pub after_completion: bool,
}

/// Arguments of `ls`.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct Ls {
    /// Those that are not closed (the default, unless there is a --filter).
    #[arg(long, group = "status")]
    pub open: bool,
    /// Those that are done.
    #[arg(long, group = "status")]
    pub done: bool,
    /// Those that are cancelled.
    #[arg(long, group = "status")]
    pub cancelled: bool,
    /// Open and closed ones.
    #[arg(long, group = "status")]
    pub all: bool,
    /// Which of them.
    #[command(flatten)]
    pub which: Which,
    /// The order [default: created, or manual with --list].
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<Sort>,
    /// The other way round; what has no such field still comes last.
    #[arg(long)]
    pub reverse: bool,
    /// At most so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

/// Which tasks `ls` lists and `watch` tells of: those for which all of it holds.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub struct Which {
    /// Those of one list.
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// Those with this label; with all of them, if given many times.
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Those of this priority.
    #[arg(long, value_name = "LEVEL")]
    pub priority: Option<Level>,
    /// Those due then: today, tomorrow, week (today and the six days after it),
    /// overdue, any, none, or a day as 2026-12-24.
    #[arg(long, value_name = "WHEN", value_parser = query::due)]
    pub due: Option<query::Due>,
    /// Those with this text in the title or the notes.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Those for which this holds, in a subset of AIP-160, as
    /// 'priority >= MEDIUM AND due <= days(3)'. Closed ones too, unless it says
    /// otherwise.
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
}

/// An order of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Newest first.
    Created,
    /// What changed last first.
    Changed,
    /// What is due first first.
    Due,
    /// What matters most first.
    Priority,
    /// List by list, as they were moved.
    Manual,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
pub struct Edit {
    /// The task.
    #[arg(value_name = "ID", help = TASK_HELP)]
    pub task: String,
    /// What to change.
    #[command(flatten)]
    pub changes: Changes,
}

/// What `edit` changes. What is not given stays as it is.
#[derive(Clone, Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub struct Changes {
    /// The new title.
    #[arg(long)]
    pub title: Option<String>,
    /// The new notes; an empty text removes them.
    #[arg(long)]
    pub notes: Option<String>,
    /// The new day it is due; the time of the day stays.
    #[arg(long, value_name = "DATE", value_parser = due::date)]
    pub due: Option<NaiveDate>,
    /// The new time of the day.
    #[arg(long, value_name = "TIME", value_parser = due::minute)]
    pub at: Option<i32>,
    /// The new time zone; an empty text removes it.
    #[arg(long)]
    pub zone: Option<String>,
    /// Remove the time of the day, and its zone.
    #[arg(long, conflicts_with_all = ["at", "zone"])]
    pub all_day: bool,
    /// It is not due any more.
    #[arg(long, conflicts_with_all = ["due", "at", "zone", "all_day"])]
    pub no_due: bool,
    /// How much it matters.
    #[arg(long, value_name = "LEVEL")]
    pub priority: Option<Level>,
    /// It matters no more and no less than others.
    #[arg(long, conflicts_with = "priority")]
    pub no_priority: bool,
    /// Add a label; may be given many times.
    #[arg(long = "label", value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Remove a label; may be given many times.
    #[arg(long = "remove-label", value_name = "LABEL")]
    pub remove_labels: Vec<String>,
    /// Remove the labels it has, before those of --label are added.
    #[arg(long, conflicts_with = "remove_labels")]
    pub no_labels: bool,
    /// How it comes back: daily, weekdays, weekly, monthly, yearly, or an RRULE
    /// as FREQ=WEEKLY;BYDAY=MO,TH (RFC 5545).
    #[arg(long, value_name = "RULE", value_parser = repeat::rule)]
    pub repeat: Option<String>,
    /// Count from the day it was completed.
    #[arg(long)]
    pub after_completion: bool,
    /// Count from the day it was due.
    #[arg(long, conflicts_with = "after_completion")]
    pub after_due: bool,
    /// It does not come back any more.
    #[arg(long, conflicts_with_all = ["repeat", "after_completion", "after_due"])]
    pub no_repeat: bool,
    /// The list it goes to, with its subtasks.
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// The task it becomes a step of.
    #[arg(long, value_name = "ID")]
    pub parent: Option<String>,
    /// It is no step of another task any more.
    #[arg(long, conflicts_with = "parent")]
    pub top: bool,
}

/// Arguments of `done`.
#[derive(Debug, Args)]
pub struct Done {
    /// The tasks.
    #[arg(value_name = "ID", required = true, help = TASK_HELP)]
    pub tasks: Vec<String>,
    /// Close their open subtasks with them.
    #[arg(long)]
    pub force: bool,
    /// Cancel them: they are not done, and will not be.
    #[arg(long)]
    pub cancel: bool,
    /// When that was [default: now]: 18:00, 2026-12-24, "2026-12-24 18:00", or
    /// with an offset 2026-12-24T18:00:00+01:00.
    #[arg(long, value_name = "TIME", value_parser = due::moment)]
    pub at: Option<Moment>,
}

/// Arguments of `mv`.
#[derive(Debug, Args)]
pub struct Mv {
    /// The task; its subtasks move with it.
    #[arg(value_name = "ID", help = TASK_HELP)]
    pub task: String,
    /// Where it goes.
    #[command(flatten)]
    pub to: Place,
}

/// Where a task goes. What is not given stays as it is.
#[derive(Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub struct Place {
    /// To this list. In another list it is no step of a task, unless --parent
    /// names one there.
    #[arg(long, value_name = "LIST")]
    pub list: Option<String>,
    /// It becomes a step of this task.
    #[arg(long, value_name = "ID")]
    pub parent: Option<String>,
    /// It is no step of another task any more.
    #[arg(long, conflicts_with = "parent")]
    pub top: bool,
    /// Right after this task, which has the same list and parent.
    #[arg(long, value_name = "ID", group = "where")]
    pub after: Option<String>,
    /// Right before this task, which has the same list and parent.
    #[arg(long, value_name = "ID", group = "where")]
    pub before: Option<String>,
    /// Before all others with the same list and parent (the default).
    #[arg(long, group = "where")]
    pub first: bool,
}

/// Arguments of `reopen`, `rm` and `restore`.
#[derive(Debug, Args)]
pub struct Tasks {
    /// The tasks.
    #[arg(value_name = "ID", required = true, help = TASK_HELP)]
    pub tasks: Vec<String>,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which tasks.
    #[command(flatten)]
    pub which: Which,
}
