//! The account of task-service at auth-service: made when the pair first starts,
//! its secret a file among the others.

use anyhow::Context as _;
use auth_service::service_accounts::{Scopes, file};
use shared::{clock::SharedClock, database::Database};

use super::{Home, PATIENCE};

/// What the account is called.
const NAME: &str = "task-service";
/// What it may do.
const SCOPES: [&str; 1] = ["trust:watch"];

/// Gives task-service an account of its own, unless it was given a secret.
/// `database` is that of auth-service.
pub(super) async fn give(
    task: &mut task_service::config::Config,
    database: &Database,
    home: &Home,
    clock: &SharedClock,
) -> anyhow::Result<()> {
    if task.service_secret.is_some() || task.service_secret_file.is_some() {
        return Ok(());
    }
    let words = anyhow::Error::msg;
    let (name, scopes) = (NAME.parse().map_err(words)?, Scopes::parse(&SCOPES).map_err(words)?);
    let secret = home.service_secret();
    // The first write to a new database, on a machine that is busy with the start of
    // everything: nobody's call is waiting for it.
    let database = database.at_length(PATIENCE, 1);
    database.ready(PATIENCE).await?;
    file::ensure(&database, &name, &scopes, &secret, clock.now())
        .await
        .context("task-service cannot be given an account")?;
    database.close().await;
    task.service_secret_file = Some(secret);
    Ok(())
}
