//! task-service: tasks that belong to one user each.
//!
//! `App` is the service put together; `serve` runs it on a listener of its own.
//! Nothing here knows how anybody signs in: who calls is known from the access
//! token alone, which the shared interceptor verifies.

pub mod config;
pub mod due;
pub mod erasure;
pub mod error;
pub mod feed;
pub mod filter;
pub mod list_mask;
pub mod lists;
pub mod mask;
pub mod operations;
pub mod order;
pub mod page;
pub mod read_mask;
pub mod recurrence;
pub mod request;
mod row;
pub mod service;
pub mod sweep;
pub mod sync_token;
pub mod task;
pub mod tasks;
pub mod text;
pub mod transfer;
pub mod usage;
mod wire;

use std::{sync::Arc, time::Duration};

use proto::task::v1::{
    list_service_server::{self, ListServiceServer},
    task_service_server::{self, TaskServiceServer},
    transfer_service_server::{self, TransferServiceServer},
};
use shared::{
    clock::{SharedClock, SystemClock},
    database::{Database, Schema},
    server::{Server, serve_admin},
    service_token::ServiceToken,
    trust::{Keeper, TokenSource, Trust, TrustWatcher},
    verify::Verifier,
};
use tokio::net::TcpListener;

pub use crate::service::{Quotas, Service};
use crate::{config::Config, erasure::Eraser, feed::Feed};

/// What this service brings to its database.
pub static SCHEMA: Schema = Schema {
    name: "tasks",
    migrator: &sqlx::migrate!(),
    functions: include!(concat!(env!("OUT_DIR"), "/functions.rs")),
};

/// The largest request. Notes of 20,000 characters of four bytes fit well.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// The largest request that brings a file: 4 MiB of it, and its envelope.
pub const MAX_IMPORT_BYTES: usize = 4 * 1024 * 1024 + 1024;

/// How long the service waits for its database when it starts.
const STARTUP_PATIENCE: Duration = Duration::from_secs(30);
/// How often the database is asked whether it is there.
const HEALTH_INTERVAL: Duration = Duration::from_secs(2);

/// The service, put together and not serving yet.
pub struct App {
    config: Config,
    service: Service,
    feed: Feed,
    trust: Trust,
    tokens: Option<Arc<dyn TokenSource>>,
    /// The token of this service's own account, if it has one.
    account: Option<ServiceToken>,
    verifier: Verifier,
    database: Database,
    clock: SharedClock,
}

impl App {
    /// Puts the service together.
    ///
    /// # Errors
    /// In words for the operator: the configuration or the database is not
    /// what it must be.
    pub async fn open(
        config: Config,
        database: Database,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        database.ready(STARTUP_PATIENCE).await?;
        let page_key = config.page_token_key().map_err(anyhow::Error::msg)?;
        let trust = Trust::with(config.trust_max_staleness, config.trust_when_stale);
        let feed = Feed::new(database.clone(), clock.clone(), trust.clone(), config.feed());
        let quotas = config.quotas();
        let service =
            Service::new(database.clone(), clock.clone(), &page_key, quotas, feed.clone());
        let verifier = Verifier::new(config.rules(), trust.clone(), clock.clone());
        let account = config.service_token(clock.clone())?;
        let tokens = account.clone().map(|token| Arc::new(token) as Arc<dyn TokenSource>);
        Ok(Self { config, service, feed, trust, tokens, account, verifier, database, clock })
    }

    /// The same, which watches the trust feed of auth-service with these tokens
    /// instead of those of its own account. Without either it lives from the key set, and a token that was
    /// revoked is good until it expires.
    #[must_use]
    pub fn watching_trust(self, tokens: Arc<dyn TokenSource>) -> Self {
        Self { tokens: Some(tokens), account: None, ..self }
    }

    /// The keys that callers' tokens are verified with, and what was revoked.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What tells changes to those who watch.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// What erases users whose account is gone.
    #[must_use]
    pub fn eraser(&self) -> Eraser {
        Eraser::new(self.database.clone(), self.clock.clone(), self.feed.clone())
    }

    /// Mounts the gRPC services.
    #[must_use]
    pub fn mount(&self, server: Server) -> Server {
        let service = self.service.clone().ending_with(server.draining());
        // The library has a limit of its own, of 4 MiB.
        let transfer = TransferServiceServer::new(self.service.clone())
            .max_decoding_message_size(MAX_IMPORT_BYTES);
        server
            .message_limit(task_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .message_limit(list_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .message_limit(transfer_service_server::SERVICE_NAME, MAX_IMPORT_BYTES)
            .authenticated(TaskServiceServer::new(service), &self.verifier)
            .authenticated(ListServiceServer::new(self.service.clone()), &self.verifier)
            .authenticated(transfer, &self.verifier)
    }

    /// Does what is due by the time, for ever: fetches signing keys or is told
    /// them, purges, keeps the feed in touch with other replicas.
    ///
    /// # Errors
    /// If the source of the keys cannot be made.
    pub async fn keep(&self) -> anyhow::Result<()> {
        let keeper = Keeper {
            trust: self.trust.clone(),
            source: self.config.key_source()?,
            refresh: self.config.keys_refresh,
            cache: self.config.key_cache_file.clone(),
            clock: self.clock.clone(),
        };
        // Keys of any other issuer come without a feed.
        let watcher = match (&self.tokens, &self.config.jwks_url) {
            (Some(tokens), None) => Some(TrustWatcher {
                trust: self.trust.clone(),
                channel: self.config.auth_channel()?,
                tokens: tokens.clone(),
                clock: self.clock.clone(),
                eraser: Some(Arc::new(self.eraser())),
            }),
            _ => None,
        };
        let watches = watcher.is_some();
        let watch = async {
            let Some(watcher) = watcher else { return };
            match &self.account {
                Some(account) => drop(tokio::join!(account.keep(), watcher.run())),
                None => watcher.run().await,
            }
        };
        tokio::join!(
            keeper.run(),
            watch,
            self.trust.measure(&*self.clock, watches),
            sweep::run(&self.database, &*self.clock),
            self.feed.keep(),
        );
        Ok(())
    }

    /// Whether the service can do its work: the database answers, and there
    /// are keys to verify callers with.
    pub async fn is_healthy(&self) -> bool {
        self.trust.keys(self.clock.now()).is_some() && self.database.answers().await
    }

    /// Serves on `listener` until `until` ends, and drains.
    ///
    /// # Errors
    /// In words for the operator.
    pub async fn serve(
        &self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<()> {
        let server = Server::new(self.config.limits())
            .descriptors(proto::DESCRIPTORS)
            .reflection(self.config.reflection)
            .allow_origins(self.config.allowed_origins.clone())
            .tls(self.config.tls().map_err(anyhow::Error::msg)?);
        let server = self.mount(server);
        let health = server.health();
        tokio::select! {
            served = server.serve(listener, until) => served,
            failed = serve_admin(self.config.admin_addr, health.clone()) => failed,
            kept = self.keep() => kept,
            () = health.watch(HEALTH_INTERVAL, || self.is_healthy()) => Ok(()),
        }
    }
}

/// Runs the service: on the database of its configuration, by the machine's
/// clock, on `listener`, until `until` ends.
///
/// # Errors
/// In words for the operator.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let options = config.database().map_err(anyhow::Error::msg)?;
    let database = Database::new(options, config.database_connections);
    let app = App::open(config, database.clone(), SystemClock::shared()).await?;
    app.serve(listener, until).await?;
    database.close().await;
    Ok(())
}
