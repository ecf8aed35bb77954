//! What `auth-service service-account` can be told.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::service_accounts::AccountName;

/// What to do with a service account.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ServiceAccountCommand {
    /// Make sure that there is an account, and a file with a secret of it.
    Ensure(Ensure),
}

/// The account and the file that there are to be.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Ensure {
    /// What the account is called: a-z, 0-9 and -.
    pub name: AccountName,
    /// What the account may do; may be given several times.
    #[arg(long = "scope", value_parser = crate::service_accounts::SCOPES)]
    pub scopes: Vec<String>,
    /// The file that holds its secret. Made, readable by its owner alone, if it
    /// is not there or holds a secret that is not good any more.
    #[arg(long, value_name = "PATH")]
    pub secret_file: PathBuf,
}
