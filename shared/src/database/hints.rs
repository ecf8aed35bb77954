//! Hints between the replicas of a service, by NOTIFY: they may come late, twice
//! or never, so whoever lives from them also looks for itself now and then. Each
//! replica says its own over one connection and hears the others' over another.
//!
//! Invariant: none is said within a transaction that writes.

use std::time::Duration;

use sqlx::{
    ConnectOptions as _, PgConnection,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::time::timeout;

use super::Database;

/// Pauses between attempts to listen.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest that saying hints, or beginning to listen, may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a replica says hints with.
#[derive(Debug)]
pub struct Speaker {
    options: PgConnectOptions,
    channel: &'static str,
    kept: Option<PgConnection>,
}

impl Speaker {
    /// A speaker on `channel`, which connects when it has something to say.
    #[must_use]
    pub fn new(database: &Database, channel: &'static str) -> Self {
        Self { options: database.options().clone(), channel, kept: None }
    }

    /// Says hints, of at most 7,999 bytes each. What cannot be said is forgotten:
    /// the others look for themselves.
    pub async fn say(&mut self, hints: &[String]) {
        match timeout(PATIENCE, self.try_say(hints)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "Other replicas could not be told."),
            Err(_) => tracing::debug!("Telling other replicas took too long."),
        }
    }

    /// Says it over a connection that may have died while there was nothing to
    /// say, or else over a new one, which is then kept.
    async fn try_say(&mut self, hints: &[String]) -> Result<(), sqlx::Error> {
        // Whoever gives up half-way leaves none that is half-way.
        if let Some(mut connection) = self.kept.take()
            && notify(&mut connection, self.channel, hints).await.is_ok()
        {
            self.kept = Some(connection);
            return Ok(());
        }
        let mut connection = self.options.connect().await?;
        notify(&mut connection, self.channel, hints).await?;
        self.kept = Some(connection);
        Ok(())
    }
}

async fn notify(
    connection: &mut PgConnection,
    channel: &str,
    hints: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query("select from unnest($2::text[]) payload, pg_notify($1, payload)")
        .bind(channel)
        .bind(hints)
        .execute(connection)
        .await?;
    Ok(())
}

/// Hears what is said on `channel`, for ever. `missed` is awaited whenever
/// listening has begun (again), for whatever was said before is missed.
pub async fn listen<M>(
    database: &Database,
    channel: &str,
    missed: impl Fn() -> M,
    heard: impl Fn(&str),
) where
    M: Future<Output = ()>,
{
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Err(error) = hear(database, channel, &missed, &heard, &mut pause).await {
            tracing::debug!(%error, "Other replicas cannot be heard at the moment.");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Hears until the connection is lost.
async fn hear<M>(
    database: &Database,
    channel: &str,
    missed: &impl Fn() -> M,
    heard: &impl Fn(&str),
    pause: &mut Duration,
) -> Result<(), sqlx::Error>
where
    M: Future<Output = ()>,
{
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_with(database.options().clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    *pause = SHORTEST_PAUSE;
    missed().await;
    while let Some(said) = listener.try_recv().await? {
        heard(said.payload());
    }
    Ok(())
}
