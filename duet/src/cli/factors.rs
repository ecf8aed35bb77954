//! The arguments of `factors`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::owner::Proof;

/// What `factors` does.
#[derive(Debug, Subcommand)]
pub enum Factors {
    /// List them, newest first, with how many recovery codes are left.
    List,
    /// Add an authenticator: an app that shows six digits.
    ///
    /// Shows its secret, on a terminal as a picture to scan, too, and asks for the
    /// first code. With the first factor come ten recovery codes, each good once
    /// in place of its code; they are shown only now. Passkeys are added in a
    /// browser.
    ///
    /// Scripts get two JSON documents: one with the secret and the uri, then, once
    /// the first code was read, one with the factor and its recoveryCodes.
    Add(Add),
    /// Remove an authenticator or a passkey. The recovery codes go with the last
    /// one; then nothing but the password is asked for.
    Remove(Remove),
    /// Make ten new recovery codes. They are shown only now, and the old ones are
    /// good no more.
    RecoveryCodes(RecoveryCodes),
}

/// Arguments of `factors add`.
#[derive(Debug, Args)]
pub struct Add {
    /// What you call it, to tell it from others.
    #[arg(long = "name", value_name = "NAME", default_value = "", hide_default_value = true)]
    pub display_name: String,
    /// Read the first code of the new authenticator from standard input, after
    /// whatever else is read from there, instead of asking for it.
    #[arg(long)]
    pub first_code_stdin: bool,
    /// Where recovery codes go.
    #[command(flatten)]
    pub place: Place,
    /// How to prove who you are, if that was long ago.
    #[command(flatten)]
    pub proof: Proof,
}

/// Arguments of `factors remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// The factor: its full name, its id, or at least 4 characters its id
    /// begins or ends with.
    #[arg(value_name = "ID")]
    pub factor: String,
    /// How to prove who you are, if that was long ago.
    #[command(flatten)]
    pub proof: Proof,
}

/// Arguments of `factors recovery-codes`.
#[derive(Debug, Args)]
pub struct RecoveryCodes {
    /// Where they go.
    #[command(flatten)]
    pub place: Place,
    /// How to prove who you are, if that was long ago.
    #[command(flatten)]
    pub proof: Proof,
}

/// Where recovery codes go.
#[derive(Debug, Default, Args)]
pub struct Place {
    /// Write the recovery codes to a file that only you can read, a line each,
    /// instead of showing them.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if there is one.
    #[arg(long, requires = "output")]
    pub force: bool,
}
