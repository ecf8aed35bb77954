//! A private, real PostgreSQL as a child process, for `duet up` and for tests.
//!
//! [`locate`] finds an installed server or fetches the packaged one;
//! [`Cluster::start`] runs it on a data folder, [`Cluster::throwaway`] on a
//! folder that goes away with it. It listens on a Unix socket in a folder that
//! only its own account (and root) can enter, never on TCP, and it ends with
//! the process that started it. Databases, roles and migrations are deliberately
//! not here: they belong to the services.

mod account;
mod aside;
mod binaries;
mod cluster;
mod command;
mod error;
mod folder;
mod initdb;
mod lock;
mod log;
mod npm;
mod package;
mod parent_death;
mod pid_file;
mod server;
mod throwaway;
mod watcher;

pub use binaries::{Binaries, Origin, Progress, Source, locate};
pub use cluster::{Cluster, PORT, SUPERUSER, Settings};
pub use error::Error;
pub use throwaway::quick_place;
