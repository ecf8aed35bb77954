//! The arguments of the commands about lists.

use clap::{Args, Subcommand};

use super::LIST_HELP;

/// What `lists` does.
#[derive(Debug, Subcommand)]
pub enum Lists {
    /// List the lists in their order, the inbox first.
    Ls {
        /// Those that are put aside, too.
        #[arg(long)]
        all: bool,
    },
    /// Make a list, the first after the inbox.
    Add {
        /// Its title; several words need no quotes.
        #[arg(required = true)]
        title: Vec<String>,
    },
    /// Give a list another title.
    Rename {
        /// The list.
        #[arg(value_name = "LIST", help = LIST_HELP)]
        list: String,
        /// Its new title; several words need no quotes.
        #[arg(required = true)]
        title: Vec<String>,
    },
    /// Put lists aside; their tasks stay in them.
    Archive(ListNames),
    /// Take lists back that were put aside.
    Unarchive(ListNames),
    /// Put a list elsewhere among the others.
    Move(MoveList),
    /// Delete a list.
    Rm {
        /// The list.
        #[arg(value_name = "LIST", help = LIST_HELP)]
        list: String,
        /// Move its tasks to the bin with it. Without, a list that has tasks is
        /// not deleted.
        #[arg(long)]
        force: bool,
    },
}

/// Arguments of `lists archive` and `lists unarchive`.
#[derive(Debug, Args)]
pub struct ListNames {
    /// The lists.
    #[arg(value_name = "LIST", required = true, help = LIST_HELP)]
    pub lists: Vec<String>,
}

/// Arguments of `lists move`.
#[derive(Debug, Args)]
pub struct MoveList {
    /// The list.
    #[arg(value_name = "LIST", help = LIST_HELP)]
    pub list: String,
    /// Where it goes.
    #[command(flatten)]
    pub to: ListPlace,
}

/// Where a list goes.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ListPlace {
    /// Right after this list.
    #[arg(long, value_name = "LIST")]
    pub after: Option<String>,
    /// Right before this list.
    #[arg(long, value_name = "LIST")]
    pub before: Option<String>,
    /// Right after the inbox, which is always first.
    #[arg(long)]
    pub first: bool,
}
