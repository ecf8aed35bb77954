//! The file that a service reads its secret from: made, and made anew when it is
//! not good any more, by whoever may call this service's database.
//!
//! Invariant: the file is for its owner alone, and appears whole or not at all.
//! A file that holds anything but a secret of the same account is left alone.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use shared::{database::Database, secret::Secret};

use super::{AccountName, NewProof, Scopes, put, secret::ServiceSecret, secret_lives};
use crate::client::Client;

/// Makes sure that there is a service account with this name and these scopes,
/// and that `file` holds a secret of it.
///
/// # Errors
/// In words for the operator, without the secret.
pub async fn ensure(
    database: &Database,
    name: &AccountName,
    scopes: &Scopes,
    file: &Path,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let found = read(file, name).with_context(|| file.display().to_string())?;
    let lives = match &found {
        Some(secret) => secret_lives(database, secret).await?,
        None => false,
    };
    let client = Client::current();
    if lives {
        put(database, name, scopes, &NewProof::None, &client, now).await?;
        return Ok(());
    }
    let secret = ServiceSecret::random(name);
    put(database, name, scopes, &NewProof::Secret(secret.clone()), &client, now).await?;
    write(file, &secret.into_text()).with_context(|| format!("cannot write {}", file.display()))?;
    tracing::info!(service.account = name.as_str(), "A secret was made.");
    Ok(())
}

fn read(file: &Path, name: &AccountName) -> anyhow::Result<Option<ServiceSecret>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => Secret::from(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if text.expose().is_empty() {
        return Ok(None);
    }
    let found = ServiceSecret::read(text).context("holds something else than a secret")?;
    anyhow::ensure!(found.account() == name, "holds a secret of {}", found.account());
    Ok(Some(found))
}

fn write(file: &Path, secret: &Secret) -> io::Result<()> {
    let new = file.with_extension("new");
    // One that was left half-way may have other rights.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    opened.write_all(secret.expose().as_bytes())?;
    opened.sync_all()?;
    fs::rename(&new, file)
}
