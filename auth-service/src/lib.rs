//! auth-service: accounts, sessions and signing keys.
//!
//! `App` is the service put together; `serve` runs it on a listener of its own.
//! Nothing here knows of tasks.

pub mod accounts;
pub mod activity;
pub mod admin;
pub mod audit;
pub mod challenge;
pub mod cli;
pub mod client;
pub mod config;
pub mod cookie;
pub mod delegation;
pub mod deletion;
pub mod device;
pub mod email;
pub mod error;
pub mod explain;
pub mod export;
pub mod factors;
pub mod hashing;
pub mod jwks;
pub mod mail;
pub mod passkey;
pub mod password;
pub mod proof;
pub mod recovery;
pub mod recovery_code;
pub mod refresh_token;
pub mod resealing;
pub mod sealing;
pub mod service;
pub mod service_accounts;
pub mod sessions;
pub mod signing;
pub mod throttle;
pub mod token;
pub mod totp;
pub mod trust_feed;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use chrono::TimeDelta;
use proto::auth::v1::{
    account_service_server::{self, AccountServiceServer},
    admin_service_server::{self, AdminServiceServer},
    auth_service_server::{self, AuthServiceServer},
    token_service_server::{self, TokenServiceServer},
    trust_service_server::{self, TrustServiceServer},
};
use shared::{
    clock::{Clock as _, SharedClock, SystemClock},
    database::{Database, Schema},
    page::PageTokens,
    server::{Server, serve_admin},
    trust::Trust,
    verify::{Rules, Verifier},
};
use tokio::net::TcpListener;

use crate::{
    config::{AUDIENCE, Config, Ensure},
    mail::{Outbox, sender::Sender},
    password::Hasher,
    sealing::Sealer,
    service::{Parts, Service, trust::TrustTeller},
    service_accounts::Scopes,
    signing::{KeyRing, Rotation},
    trust_feed::TrustFeed,
};

/// What this service brings to its database.
pub static SCHEMA: Schema = Schema {
    name: "auth",
    migrator: &sqlx::migrate!(),
    functions: include!(concat!(env!("OUT_DIR"), "/functions.rs")),
};

/// The largest request.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The largest request of operators: accounts to import come in hundreds.
pub const MAX_IMPORT_BYTES: usize = 512 * 1024;

/// How long the service waits for its database when it starts.
const STARTUP_PATIENCE: Duration = Duration::from_secs(30);
/// How often the database is asked whether it is there.
const HEALTH_INTERVAL: Duration = Duration::from_secs(2);
/// How often what is over is removed.
const SWEEP_INTERVAL: TimeDelta = TimeDelta::minutes(10);

/// The service, put together and not serving yet.
pub struct App {
    config: Config,
    service: Service,
    keys: Arc<KeyRing>,
    sealer: Arc<Sealer>,
    sender: Sender,
    trust: TrustFeed,
    verifier: Verifier,
    database: Database,
    clock: SharedClock,
    hashes: Arc<AtomicU64>,
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
        let words = anyhow::Error::msg;
        database.ready(STARTUP_PATIENCE).await?;
        let (current, previous) = config.keys().map_err(words)?;
        let sealer = Arc::new(Sealer::new(&current, previous.as_ref()));
        let rotation = Rotation {
            algorithm: config.signing_algorithm.into(),
            period: TimeDelta::from_std(config.key_rotation)?,
            lead: TimeDelta::from_std(config.key_lead)?,
            refresh: TimeDelta::from_std(config.trust.keys_refresh)?,
            token_lifetime: TimeDelta::from_std(config.access_token_ttl)?,
        };
        // Our own keys never grow stale.
        let trust = Trust::new(Duration::MAX);
        let keys =
            KeyRing::open(rotation, database.clone(), sealer.clone(), clock.clone(), trust.clone());
        let keys = Arc::new(keys.await?);
        let feed = TrustFeed::open(
            database.clone(),
            clock.clone(),
            keys.clone(),
            trust.clone(),
            config.trust.feed(config.access_token_ttl),
        );
        let feed = feed.await?;
        let rules = Rules {
            issuer: config.issuer.clone(),
            audience: AUDIENCE.to_owned(),
            max_lifetime: config.access_token_ttl,
        };
        let verifier = Verifier::new(rules, trust, clock.clone());
        let threads = config
            .passwords
            .hashing_threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let hasher = Hasher::start(
            config.passwords.hashing().map_err(words)?,
            config.passwords.rules(),
            threads,
            config.passwords.hashing_queue,
        )?;
        let hashes = hasher.computed();
        let outbox = Outbox::new(sealer.clone());
        let post = config.mail.post().map_err(words)?;
        let service = Service::new(Parts {
            database: database.clone(),
            clock: clock.clone(),
            hasher,
            keys: keys.clone(),
            trust: feed.clone(),
            issuing: config.issuing(),
            verifier: verifier.clone(),
            outbox: outbox.clone(),
            enumeration: config.mail.enumeration,
            pages: PageTokens::new(sealer.page_key()),
            sealer: sealer.clone(),
            lifetimes: config.lifetimes(),
            cookies: config.cookies(),
            throttles: config.abuse.throttles(),
            second_factors: config.second_factors.clone(),
            relying_party: config.mail.relying_party(),
            erasing_services: config.export.erasing_services(),
            tasks: config.export.tasks()?,
        });
        let sender = Sender { database: database.clone(), clock: clock.clone(), outbox, post };
        let trust = feed;
        Ok(Self { config, service, keys, trust, sealer, sender, verifier, database, clock, hashes })
    }

    /// The keys that tokens are signed with.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// How many hashes of passwords were computed so far.
    #[must_use]
    pub fn hashes(&self) -> Arc<AtomicU64> {
        self.hashes.clone()
    }

    /// Mounts the gRPC services.
    #[must_use]
    pub fn mount(&self, server: Server) -> Server {
        let trust = TrustTeller::new(self.service.clone(), server.draining());
        server
            .message_limit(auth_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .message_limit(token_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .message_limit(account_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .message_limit(admin_service_server::SERVICE_NAME, MAX_IMPORT_BYTES)
            .message_limit(trust_service_server::SERVICE_NAME, MAX_MESSAGE_BYTES)
            .open(AuthServiceServer::new(self.service.clone()))
            .open(TokenServiceServer::new(self.service.clone()))
            .authenticated(AccountServiceServer::new(self.service.clone()), &self.verifier)
            .authenticated(AdminServiceServer::new(self.service.clone()), &self.verifier)
            .authenticated(TrustServiceServer::new(trust), &self.verifier)
    }

    /// Plain HTTP beside gRPC: the key set.
    pub fn routes(&self) -> axum::Router {
        jwks::routes(self.keys.clone())
    }

    /// Does what is due by the time, for ever.
    pub async fn keep(&self) {
        let sweep = async {
            loop {
                self.clock.sleep_until(self.clock.now() + SWEEP_INTERVAL).await;
                if let Err(error) = sessions::sweep(&self.database, self.clock.now()).await {
                    tracing::warn!(%error, "Old sessions cannot be removed; trying again later.");
                }
                if let Err(error) = throttle::sweep(&self.database, self.clock.now()).await {
                    tracing::warn!(%error, "Old throttles cannot be removed; trying again later.");
                }
                if let Err(error) = mail::outbox::sweep(&self.database, self.clock.now()).await {
                    tracing::warn!(%error, "Old mails cannot be removed; trying again later.");
                }
                if let Err(error) = deletion::sweep(&self.database, self.clock.now()).await {
                    tracing::warn!(%error, "Deleted accounts cannot be swept; trying again later.");
                }
            }
        };
        tokio::join!(self.keys.keep(), self.trust.keep(), self.sender.keep(), sweep, self.reseal());
    }

    /// Seals anew what the previous key-encryption key sealed. Not at once: until
    /// every replica has the current key, some could not open it.
    async fn reseal(&self) {
        let mut due = self.sealer.has_previous();
        while due {
            self.clock.sleep_until(self.clock.now() + SWEEP_INTERVAL).await;
            match resealing::reseal(&self.database, &self.sealer).await {
                Ok(count) => {
                    due = false;
                    tracing::info!(count, "No second factor needs the previous key any more.");
                }
                Err(error) => {
                    tracing::warn!(%error, "Secrets cannot be sealed anew; trying again later.");
                }
            }
        }
    }

    /// Whether the service can do its work.
    pub async fn is_healthy(&self) -> bool {
        self.database.answers().await
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
            .tls(self.config.tls().map_err(anyhow::Error::msg)?)
            .http(self.routes());
        let server = self.mount(server);
        let health = server.health();
        tokio::select! {
            served = server.serve(listener, until) => served,
            failed = serve_admin(self.config.admin_addr, health.clone()) => failed,
            () = self.keep() => Ok(()),
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

/// Makes sure, on the database of the configuration, that another service has
/// an account and its secret a file.
///
/// # Errors
/// In words for the operator.
pub async fn ensure_service_account(config: &Config, account: &Ensure) -> anyhow::Result<()> {
    let words = anyhow::Error::msg;
    let database = Database::new(config.database().map_err(words)?, 1);
    // Nobody's call is waiting for it.
    let database = database.at_length(STARTUP_PATIENCE, 1);
    database.ready(STARTUP_PATIENCE).await?;
    let Ensure { name, scopes, secret_file } = account;
    let scopes = Scopes::parse(scopes).map_err(words)?;
    let now = SystemClock.now();
    service_accounts::file::ensure(&database, name, &scopes, secret_file, now).await?;
    database.close().await;
    Ok(())
}
