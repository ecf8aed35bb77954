//! What operators can tell the program to do at the machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use shared::secret::Secret;

use uuid::Uuid;

use super::{AUDIENCE, ServiceAccountCommand};
use crate::{email::Email, service_accounts::AccountName};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Apply migrations and functions as the owner of the database.
    Migrate,
    /// Ask the running service, by its admin address, whether it is ready.
    Health,
    /// Give another service an account of its own.
    #[command(subcommand)]
    ServiceAccount(ServiceAccountCommand),
    /// Make operators, and make them none again.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look at the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look at what services have not erased yet of deleted users.
    #[command(subcommand)]
    Erasures(ErasuresCommand),
    /// Tell which check refuses an access token; exit code 1 if one does.
    Explain(Explain),
}

/// What to do about operators.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum AdminCommand {
    /// Make an account an operator's, and the account if there is none.
    Create(CreateOperator),
    /// Make an account no operator's any more, and end its sessions.
    Revoke(RevokeOperator),
    /// Remove every second factor of an account and end its sessions, because its
    /// owner is locked out: make sure that it is the owner who asks. Where a thief added
    /// one, have the owner set a new password by mail first: with the old one the thief
    /// would be in again.
    DropFactors(DropFactors),
}

/// Who is to be an operator.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct CreateOperator {
    /// The e-mail address of the account.
    #[arg(value_parser = email)]
    pub email: Email,
    /// File with the password of a new account; standard input without it. An
    /// account that is there keeps its own.
    #[arg(long, value_name = "PATH")]
    pub password_file: Option<PathBuf>,
    /// Take an account that is there although nobody has shown that the address
    /// is theirs: whoever made it becomes the operator, and the address is verified.
    #[arg(long)]
    pub unverified: bool,
}

/// Who is to be no operator any more.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct RevokeOperator {
    /// The e-mail address of the account.
    #[arg(value_parser = email)]
    pub email: Email,
}

/// Whose second factors are to go.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct DropFactors {
    /// The e-mail address of the account.
    #[arg(value_parser = email)]
    pub email: Email,
}

/// What to do about erasures that services have not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ErasuresCommand {
    /// Print them: the user, the service, and since when.
    List,
    /// Wait for a service no more, because it never will confirm: the receipt says
    /// that this was closed, and not that anything was erased.
    Close {
        /// Whose account it was: users/{user}.
        #[arg(value_parser = user)]
        user: Uuid,
        /// The service, by the name of its account.
        service: AccountName,
    },
}

/// What to do about the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum AuditCommand {
    /// Check that every entry follows from the one before; exit code 1 and the
    /// first one that does not, otherwise.
    Verify,
}

/// Which token to explain.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Explain {
    /// The access token; - reads it from standard input, where other users of
    /// the machine do not see it.
    pub token: Secret,
    /// The service that it was shown to.
    #[arg(long = "for", value_name = "SERVICE", default_value = AUDIENCE)]
    pub audience: String,
}

fn user(text: &str) -> Result<Uuid, &'static str> {
    let id = text.strip_prefix("users/").and_then(|id| id.parse().ok());
    id.ok_or("A user is named users/{user}.")
}

fn email(text: &str) -> Result<Email, &'static str> {
    Email::parse(text)
}
