//! The arguments of the operators' commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const USER_HELP: &str = "An account: its e-mail address, its full name, or its id";

/// What `admin` does.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// List the accounts, newest first.
    Users(Users),
    /// Close an account: its sessions end, and nobody can sign in to it.
    Suspend {
        /// The account.
        #[arg(value_name = "USER", help = USER_HELP)]
        user: String,
        /// Why, for the audit log.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Open an account again.
    Reinstate {
        /// The account.
        #[arg(value_name = "USER", help = USER_HELP)]
        user: String,
    },
    /// Make accounts with passwords that another system hashed.
    ///
    /// Each line of the file is a JSON object: email, passwordHash (bcrypt, or
    /// argon2 in the PHC form), and if wanted emailVerified and displayName.
    /// What could not be made is listed with its line; the rest is made.
    Import {
        /// The file; - is standard input.
        file: PathBuf,
    },
    /// List the accounts of services, or change them.
    ServiceAccounts {
        /// What to do; nothing means to list them.
        #[command(subcommand)]
        command: Option<ServiceAccounts>,
    },
    /// Exchange the keys that sign access tokens.
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: Keys,
    },
    /// Show the audit log of the service, or of one account, newest first.
    Audit(Audit),
}

/// Arguments of `admin users`.
#[derive(Debug, Args)]
pub struct Users {
    /// Only the account with this e-mail address.
    #[arg(long)]
    pub email: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// What `admin service-accounts` does.
#[derive(Debug, Subcommand)]
pub enum ServiceAccounts {
    /// List them by name.
    List,
    /// Make an account, or another secret for one that is there: two are good at
    /// a time. The secret is shown this once.
    Create(CreateServiceAccount),
    /// Remove an account; its tokens are refused from then on.
    Delete {
        /// What it is called.
        name: String,
    },
}

/// Arguments of `admin service-accounts create`.
#[derive(Debug, Args)]
pub struct CreateServiceAccount {
    /// What it is called: a-z, 0-9 and -.
    pub name: String,
    /// What it may do; may be given several times. For an account that is there
    /// these replace its own.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// File with a public key (JWK) that it signs assertions with, instead of a
    /// secret.
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
}

/// What `admin keys` does.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a new key, which signs as soon as every verifier knows it.
    Rotate,
    /// Withdraw a key that others may know: what it signed is refused within
    /// seconds.
    Revoke {
        /// Its id, the kid in the header of tokens.
        // One in 64 begins as an option does.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Arguments of `admin audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// The account; without it, what concerns the service itself.
    #[arg(value_name = "USER", help = USER_HELP)]
    pub user: Option<String>,
    /// At most so many entries.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}
