//! What can be measured, how it belongs together, and in which order.

use clap::{Args, ValueEnum};

use crate::{grounds::Ground, pgbench::CLIENTS};

/// Callers that read tasks while others sign in.
pub(crate) const READERS: usize = 8;

/// Callers that guess passwords at once.
pub(crate) const FLOOD: usize = 500;

/// Callers that write while nobody, or a crowd, watches others.
pub(crate) const WRITERS: usize = 16;

/// What to measure and how long.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Seconds of each measurement, after a warm-up of a quarter of that.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: u32,
    /// Rounds through everything.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Calls per second of the open loops: few enough for the machine, or it is
    /// the queue that is measured.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// Measure this only; may be given more than once.
    #[arg(long, value_name = "NAME")]
    only: Vec<Part>,
}

/// Things that are measured together because they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The bare echo and the echo behind the server stack.
    Echo,
    /// TokenService.VerifyToken.
    Verify,
    /// AuthService.RefreshSession.
    Refresh,
    /// AuthService.SignIn, and nothing but hashing.
    SignIn,
    /// TaskService.GetTask.
    Get,
    /// TaskService.CreateTask, pgbench's INSERT, and TaskService.UpdateTask.
    Create,
    /// TaskService.ListTasks, and pgbench's SELECT.
    List,
    /// Reading tasks during a storm of sign-ins, during a flood of guesses, and
    /// without either; and the guesses themselves.
    Storm,
    /// From a write to those who watch, on the same replica and on another.
    Watch,
    /// Watchers who are told nothing: their memory, and what a write costs beside them.
    Idle,
    /// The first and the thousandth page of a user with 50,000 tasks.
    Depth,
    /// Calls on a table with 10 k tasks and on one with a million.
    Volume,
    /// Calls with row level security and without.
    Policies,
    /// Reading and making tasks in an open loop, at the rate that is given.
    Paced,
    /// The start of `duet up`.
    Start,
}

/// What one measurement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    BareEcho,
    QuietEcho,
    WholeEcho,
    Verify,
    Refresh,
    SignIn,
    Hashing,
    Get,
    Create,
    PlainInsert,
    Edit,
    List,
    PlainSelect,
    ListInCalm,
    ListInStorm,
    ListInFlood,
    Guess,
    SeenHere,
    SeenThere,
    Watcher,
    Update,
    UpdateWatched,
    FirstPage,
    LastPage,
    ListOfFew,
    ListOfMany,
    GetOfFew,
    GetOfMany,
    ListRuled,
    ListUnruled,
    CreateRuled,
    CreateUnruled,
    GetPaced,
    ListPaced,
    CreatePaced,
    Start,
}

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) what: What,
    pub(crate) callers: usize,
}

impl Plan {
    /// The measurements of a round, in their order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let all = if self.only.is_empty() { Part::value_variants() } else { &self.only };
        all.iter().flat_map(|part| part.cases()).collect()
    }
}

impl Part {
    /// What belongs to it; what is compared with each other stands side by side.
    fn cases(self) -> Vec<Case> {
        use What::{
            BareEcho, Create, CreatePaced, CreateRuled, CreateUnruled, Edit, FirstPage, Get,
            GetOfFew, GetOfMany, GetPaced, Guess, Hashing, LastPage, List, ListInCalm, ListInFlood,
            ListInStorm, ListOfFew, ListOfMany, ListPaced, ListRuled, ListUnruled, PlainInsert,
            PlainSelect, QuietEcho, Refresh, SeenHere, SeenThere, SignIn, Start, Update,
            UpdateWatched, Verify, Watcher, WholeEcho,
        };
        const ECHOES: &[What] = &[BareEcho, QuietEcho, WholeEcho];
        let rows: &[(usize, &[What])] = match self {
            Self::Echo => &[(1, ECHOES), (16, ECHOES), (64, ECHOES)],
            Self::Verify => &[(1, &[Verify]), (16, &[Verify]), (64, &[Verify])],
            Self::Refresh => &[(1, &[Refresh]), (16, &[Refresh]), (64, &[Refresh])],
            Self::SignIn => &[(1, &[SignIn]), (16, &[Hashing, SignIn])],
            Self::Get => &[(1, &[Get]), (16, &[Get]), (64, &[Get])],
            Self::Create => &[
                (1, &[Create]),
                (16, &[Create, Edit]),
                (CLIENTS, &[PlainInsert, Create]),
                (64, &[Create]),
            ],
            Self::List => {
                &[(1, &[List]), (16, &[List]), (CLIENTS, &[PlainSelect, List]), (64, &[List])]
            }
            Self::Storm => &[(READERS, &[ListInCalm, ListInStorm, ListInFlood]), (FLOOD, &[Guess])],
            Self::Watch => &[(1, &[SeenHere, SeenThere]), (16, &[SeenHere, SeenThere])],
            Self::Idle => &[(1, &[Watcher]), (WRITERS, &[Update, UpdateWatched])],
            Self::Depth => &[(READERS, &[FirstPage, LastPage])],
            Self::Volume => &[(16, &[ListOfFew, ListOfMany, GetOfFew, GetOfMany])],
            Self::Policies => &[(16, &[ListRuled, ListUnruled, CreateRuled, CreateUnruled])],
            Self::Paced => &[(64, &[GetPaced, ListPaced, CreatePaced])],
            Self::Start => &[(1, &[Start])],
        };
        let row = |(callers, whats): &(usize, &'static [What])| {
            let callers = *callers;
            whats.iter().map(move |&what| Case { what, callers })
        };
        rows.iter().flat_map(row).collect()
    }
}

impl What {
    /// The database that it is measured on, if that is one of its own.
    pub(crate) const fn ground(self) -> Option<Ground> {
        match self {
            Self::ListOfFew | Self::GetOfFew => Some(Ground::Small),
            Self::ListOfMany | Self::GetOfMany | Self::FirstPage | Self::LastPage => {
                Some(Ground::Large)
            }
            Self::ListRuled | Self::CreateRuled => Some(Ground::Ruled),
            Self::ListUnruled | Self::CreateUnruled => Some(Ground::Unruled),
            _ => None,
        }
    }

    /// Whether it is an open loop.
    pub(crate) const fn is_paced(self) -> bool {
        matches!(self, Self::GetPaced | Self::ListPaced | Self::CreatePaced)
    }

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BareEcho => "echo, bare",
            Self::QuietEcho => "echo, authenticated",
            Self::WholeEcho => "echo, with log and metrics",
            Self::Verify => "verify",
            Self::Refresh => "refresh",
            Self::SignIn => "sign-in",
            Self::Hashing => "only hashing",
            Self::Get => "get",
            Self::Create => "create",
            Self::PlainInsert => "pgbench insert",
            Self::Edit => "update, everybody",
            Self::List => "list of 50",
            Self::PlainSelect => "pgbench select of 50",
            Self::ListInCalm => "list of 50, calm",
            Self::ListInStorm => "list of 50, in a storm",
            Self::ListInFlood => "list of 50, in a flood of guesses",
            Self::Guess => "guess, 1 s later again if refused",
            Self::SeenHere => "write seen, same replica",
            Self::SeenThere => "write seen, another replica",
            Self::Watcher => "an idle watcher",
            Self::Update => "update",
            Self::UpdateWatched => "update beside 2,000 watchers",
            Self::FirstPage => "page 1 of 50,000 tasks",
            Self::LastPage => "page 1,000 of 50,000 tasks",
            Self::ListOfFew => "list of 50, 10 k in the table",
            Self::ListOfMany => "list of 50, 1 M in the table",
            Self::GetOfFew => "get, 10 k in the table",
            Self::GetOfMany => "get, 1 M in the table",
            Self::ListRuled => "list of 50, row security",
            Self::ListUnruled => "list of 50, no row security",
            Self::CreateRuled => "create, row security",
            Self::CreateUnruled => "create, no row security",
            Self::GetPaced => "get, open loop",
            Self::ListPaced => "list of 50, open loop",
            Self::CreatePaced => "create, open loop",
            Self::Start => "start of duet up",
        }
    }

    /// Statements of one call, one round trip each; the tests of the services
    /// count them.
    pub(crate) const fn statements(self) -> Option<u32> {
        match self {
            Self::BareEcho | Self::QuietEcho | Self::WholeEcho => Some(0),
            Self::SignIn => Some(2),
            Self::Verify | Self::Refresh | Self::Get | Self::Create | Self::Edit => Some(1),
            Self::List | Self::ListInCalm | Self::ListInStorm | Self::ListInFlood => Some(1),
            Self::FirstPage | Self::LastPage | Self::ListOfFew | Self::ListOfMany => Some(1),
            Self::GetOfFew | Self::GetOfMany | Self::ListRuled | Self::ListUnruled => Some(1),
            Self::CreateRuled | Self::CreateUnruled => Some(1),
            Self::GetPaced | Self::ListPaced | Self::CreatePaced => Some(1),
            Self::Update | Self::UpdateWatched => Some(1),
            Self::PlainInsert | Self::PlainSelect => Some(1),
            // The write, what the watcher reads, and a hint for several of them.
            Self::SeenHere | Self::SeenThere => None,
            // Two if there was room, none if not.
            Self::Guess => None,
            Self::Watcher | Self::Hashing | Self::Start => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grounds::SETTLERS, users::USERS};

    #[test]
    fn no_two_callers_share_a_user_and_no_case_comes_twice() {
        let cases = Plan { seconds: 1, rounds: 1, rate: 1, only: Vec::new() }.cases();
        for (at, case) in cases.iter().enumerate() {
            assert!(!cases[..at].contains(case), "{case:?}");
            if case.what == What::Guess {
                // They are nobody.
                continue;
            }
            let users = if case.what.ground().is_some() { SETTLERS } else { USERS };
            assert_eq!(users % case.callers, 0, "{case:?}");
        }
    }
}
