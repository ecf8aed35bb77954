//! Makes a service's database from the files in its folder and prints its
//! owner's URL: `schema <superuser's URL> <service's folder> <schema's name>`.
//!
//! `cargo xtask sql` runs it. It names no service crate on purpose: one whose
//! query cache is stale does not compile, and this is what renews the cache.

use std::{env, fs, io::Write as _, path::Path, str::FromStr as _};

use anyhow::Context as _;
use shared::database::{Schema, migrate, provision};
use sqlx::{ConnectOptions as _, migrate::Migrator, postgres::PgConnectOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, folder, name] = arguments.as_slice() else {
        anyhow::bail!("usage: schema <superuser's URL> <service's folder> <schema's name>");
    };
    let superuser = PgConnectOptions::from_str(url).context("this is not a Postgres URL")?;
    provision(&mut superuser.connect().await?, name, name).await?;
    let owner = superuser.clone().username(&format!("{name}_owner")).database(name);
    migrate(&owner, &read(Path::new(folder), name).await?).await?;
    writeln!(std::io::stdout(), "{}", owner.to_url_lossy())?;
    Ok(())
}

/// The schema as it is on the disk. It is kept until the program ends, as the
/// one that a service has compiled in.
async fn read(folder: &Path, name: &str) -> anyhow::Result<Schema> {
    let migrator = Migrator::new(folder.join("migrations")).await?;
    let mut functions = Vec::new();
    for entry in fs::read_dir(folder.join("functions"))? {
        let entry = entry?;
        let file: &str = entry.file_name().to_string_lossy().into_owned().leak();
        let text: &str = fs::read_to_string(entry.path())?.leak();
        functions.push((file, text));
    }
    functions.sort_unstable();
    Ok(Schema {
        name: name.to_owned().leak(),
        migrator: Box::leak(Box::new(migrator)),
        functions: functions.leak(),
    })
}
