//! The arguments of `activity`, `delete-account` and `deletion`.

use clap::Args;
use shared::secret::Secret;

/// Arguments of `activity`.
#[derive(Debug, Args)]
pub struct Activity {
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// How to prove again who one is.
#[derive(Debug, Default, Args)]
pub struct Proof {
    /// Read the password, which is wanted if you signed in long ago, from the
    /// first line of standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
    /// The code of your authenticator, if you have a second factor and signed in
    /// long ago; - reads it, or a recovery code, from the next line of standard
    /// input. Without it you are asked.
    #[arg(long, value_name = "CODE")]
    pub code: Option<Secret>,
}

/// Arguments of `delete-account`.
#[derive(Debug, Args)]
pub struct DeleteAccount {
    /// The e-mail address of the account, instead of being asked for it.
    #[arg(long, value_name = "EMAIL", required_if_eq("password_stdin", "true"))]
    pub email: Option<String>,
    /// How to prove who you are, if that was long ago.
    #[command(flatten)]
    pub proof: Proof,
}

/// Arguments of `deletion`.
#[derive(Debug, Args)]
pub struct Deletion {
    /// The receipt that `delete-account` answered with: dr_…
    #[arg(value_name = "RECEIPT")]
    pub receipt: String,
}
