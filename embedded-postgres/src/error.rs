//! Everything that can keep a private PostgreSQL from running. Each variant is
//! one sentence for the person at the terminal and ends with the way out; the
//! server's own words are quoted where they are the better explanation.

use std::{io, path::PathBuf};

/// Why there is no running PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither an installed server nor npm.
    #[error(
        "no PostgreSQL {} or later was found, and no npm to fetch the packaged one: \
         install PostgreSQL ({install}), or npm, or name the folder of its programs in PG_BIN",
        crate::binaries::OLDEST
    )]
    NotFound {
        /// The command that installs PostgreSQL on this system.
        install: &'static str,
    },

    /// The packaged server was asked for, and npm is not there.
    #[error("npm, which fetches the packaged PostgreSQL, was not found: install Node.js with npm")]
    NpmMissing,

    /// The folder named by the user holds no usable server.
    #[error(
        "{} holds no usable PostgreSQL: {reason}; \
         set PG_BIN to a folder with `postgres` and `initdb` of version {} or later, or unset it",
        folder.display(), crate::binaries::OLDEST
    )]
    Unusable {
        /// The folder that was named.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// No package exists for this kind of machine.
    #[error("there is no packaged PostgreSQL for {platform}: install PostgreSQL ({install})")]
    NoPackage {
        /// Operating system and processor.
        platform: String,
        /// The command that installs PostgreSQL on this system.
        install: &'static str,
    },

    /// npm ran and did not bring the package.
    #[error(
        "npm could not fetch {package}: {output}\n\
         Check the network or npm's registry setting, or install PostgreSQL ({install})"
    )]
    Npm {
        /// Name and version.
        package: String,
        /// The first lines npm printed.
        output: String,
        /// The command that installs PostgreSQL on this system.
        install: &'static str,
    },

    /// What npm brought is not what this source expects.
    #[error(
        "{package} does not have the expected SHA-512 and was thrown away: \
         check npm's registry setting, or install PostgreSQL ({install})"
    )]
    Checksum {
        /// Name and version.
        package: String,
        /// The command that installs PostgreSQL on this system.
        install: &'static str,
    },

    /// The package could not be unpacked.
    #[error("the packaged PostgreSQL could not be unpacked in {}: {source}; make room there, or remove the folder and try again", folder.display())]
    Unpack {
        /// Where it was to go.
        folder: PathBuf,
        /// What went wrong.
        source: io::Error,
    },

    /// The data folder was written by another major version.
    #[error(
        "the data in {} belongs to PostgreSQL {found}, and this is PostgreSQL {running}: \
         run PostgreSQL {found} by setting PG_BIN to the folder of its programs, \
         choose another data folder, or move this one away to begin afresh", folder.display()
    )]
    OtherMajor {
        /// The folder of the existing cluster.
        folder: PathBuf,
        /// The major version that wrote it.
        found: String,
        /// The major version that was about to run.
        running: u32,
    },

    /// A folder cannot be made, read or written.
    #[error("cannot use the folder {}: {source}; choose another folder, or change its owner and rights", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system answered.
        source: io::Error,
    },

    /// The account the server runs as cannot get at a folder.
    #[error(
        "PostgreSQL does not run as root, and the account `{account}` it runs as cannot enter {}: \
         choose a folder that it can enter, such as one below /var/lib", folder.display()
    )]
    Closed {
        /// The folder in the way.
        folder: PathBuf,
        /// The account that was dropped to.
        account: String,
    },

    /// The data folder belongs to another account than the server's.
    #[error(
        "{} belongs to user id {owner}, and PostgreSQL would run as user id {running}: \
         start it as the user who made the folder, or choose another folder", folder.display()
    )]
    Owner {
        /// The folder.
        folder: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who would use it.
        running: u32,
    },

    /// Root has no account to drop to.
    #[error(
        "PostgreSQL does not run as root, and this system has neither an account `postgres` nor `nobody`: \
         create one (`useradd --system postgres`), or start as an ordinary user"
    )]
    NoAccount,

    /// Another process uses the data folder, and did not let go within 5 s.
    #[error("process {pid} is using {}: stop it, or choose another data folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who holds it.
        pid: u32,
    },

    /// `initdb` did not succeed.
    #[error("initdb could not create a database cluster in {}: {output}", folder.display())]
    Initdb {
        /// The data folder.
        folder: PathBuf,
        /// The last lines it printed.
        output: String,
    },

    /// The server ended, or never became ready.
    #[error("PostgreSQL {what}; the last lines of {}:\n{output}", log_file.display())]
    Server {
        /// What happened, to be read after "PostgreSQL".
        what: String,
        /// Its log.
        log_file: PathBuf,
        /// The log's last lines.
        output: String,
    },

    /// A program of the server, or a thread to watch it, could not be started.
    #[error("{} could not be run: {source}; check that it is installed for this system and may be executed", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn folder(folder: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let folder = folder.into();
        move |source| Self::Folder { folder, source }
    }

    pub(crate) fn run(program: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let program = program.into();
        move |source| Self::Run { program, source }
    }
}

/// The last lines of what a program printed, for an error text.
pub(crate) fn last_lines(text: &str) -> String {
    let lines = lines(text);
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// The first lines, of a program that explains itself before it goes into detail.
pub(crate) fn first_lines(text: &str) -> String {
    let lines = lines(text);
    lines[..lines.len().min(4)].join("\n")
}

fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() { vec!["(nothing was printed)"] } else { lines }
}
