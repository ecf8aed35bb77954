//! The configuration of task-service. `task-service --help` is its reference.

mod identity;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Parser, Subcommand};
use shared::{
    config::{self, Settings, duration},
    secret::{Key, Secret},
    server::{Limits, Network, Origin},
    telemetry::{DEFAULT_FILTER, LogFormat},
    trust::{GrpcKeys, KeySource, UrlKeys, WhenStale},
    verify::Rules,
};
use sqlx::postgres::PgConnectOptions;
use tonic::transport::Uri;

use crate::{feed, service::Quotas};

/// Methods that read everything and take longer than others.
const SLOW_METHODS: &[&str] = &["/task.v1.TransferService/ExportTasks"];

/// Tasks of Duet, over gRPC.
///
/// Every secret NAME can be given as NAME_FILE instead: the path of a file that
/// holds it. Durations are written 30s, 5m, 12h, 7d.
#[derive(Clone, Debug, Parser)]
#[command(name = "task-service", version)]
pub struct Config {
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address for gRPC and grpc-web.
    #[arg(long, env = "TASK_LISTEN_ADDR", default_value = "127.0.0.1:50052")]
    pub listen_addr: SocketAddr,
    /// Address for /livez, /readyz and /metrics; none if absent.
    #[arg(long, env = "TASK_ADMIN_ADDR")]
    pub admin_addr: Option<SocketAddr>,
    /// Certificate chain in PEM; TLS if given.
    #[arg(long, env = "TASK_TLS_CERT_FILE")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, env = "TASK_TLS_KEY_FILE")]
    pub tls_key_file: Option<PathBuf>,
    /// Origins of pages that may call, separated by commas.
    #[arg(long, env = "TASK_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<Origin>,
    /// Whether anyone may ask for the list of methods.
    #[arg(long, env = "TASK_REFLECTION", default_value_t = true, action = clap::ArgAction::Set)]
    pub reflection: bool,
    /// Calls handled at once; more are refused.
    #[arg(long, env = "TASK_MAX_IN_FLIGHT", default_value_t = 1024)]
    pub max_in_flight: usize,
    /// Open connections; more are closed at once.
    #[arg(long, env = "TASK_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
    /// Open connections from one address. Behind a proxy all of them are.
    #[arg(long, env = "TASK_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 256)]
    pub max_connections_per_address: usize,
    /// Networks of proxies, separated by commas, whose X-Forwarded-For says
    /// where a call comes from: 10.0.0.0/8.
    #[arg(long, env = "TASK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// How long a call may take, if its client does not allow less.
    #[arg(long, env = "TASK_CALL_DEADLINE", default_value = "5s", value_parser = duration)]
    pub call_deadline: Duration,
    /// How long calls are still taken after health says NOT_SERVING.
    #[arg(long, env = "TASK_DRAIN_DELAY", default_value = "0s", value_parser = duration)]
    pub drain_delay: Duration,

    /// Postgres, as the role tasks_app: postgres://tasks_app@host/tasks.
    #[arg(long, env = "TASK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// File with the database URL.
    #[arg(long, env = "TASK_DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,
    /// Postgres as the role tasks_owner; only for `migrate`.
    #[arg(long, env = "TASK_OWNER_DATABASE_URL", hide_env_values = true)]
    pub owner_database_url: Option<Secret>,
    /// File with the owner's database URL.
    #[arg(long, env = "TASK_OWNER_DATABASE_URL_FILE")]
    pub owner_database_url_file: Option<PathBuf>,
    /// Connections to Postgres at most; exports have four more of their own.
    #[arg(long, env = "TASK_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
    /// What page tokens are sealed with: 32 bytes in base64, the same for all
    /// replicas.
    #[arg(long, env = "TASK_PAGE_TOKEN_KEY", hide_env_values = true)]
    pub page_token_key: Option<Secret>,
    /// File with the key of page tokens.
    #[arg(long, env = "TASK_PAGE_TOKEN_KEY_FILE")]
    pub page_token_key_file: Option<PathBuf>,

    /// Tasks that a user may have, those in the bin excepted.
    #[arg(long, env = "TASK_MAX_TASKS", default_value_t = 10_000)]
    pub max_tasks: u32,
    /// Lists that a user may have besides the inbox.
    #[arg(long, env = "TASK_MAX_LISTS", default_value_t = 200)]
    pub max_lists: u32,

    /// Streams of changes that a user may have open on one replica.
    #[arg(long, env = "TASK_MAX_WATCHES_PER_USER", default_value_t = 32)]
    pub max_watches_per_user: usize,
    /// Streams of changes that one replica serves at once; more are refused.
    #[arg(long, env = "TASK_MAX_WATCHES", default_value_t = 10_000)]
    pub max_watches: usize,
    /// How often the database is asked what those who watch may have missed,
    /// if nobody said so sooner.
    #[arg(long, env = "TASK_WATCH_POLL", default_value = "5s", value_parser = duration)]
    pub watch_poll: Duration,

    /// Where auth-service serves its signing keys over gRPC.
    #[arg(long, env = "TASK_AUTH_URL", default_value = "http://127.0.0.1:50051")]
    pub auth_url: String,
    /// Where any issuer serves its key set over HTTP; instead of TASK_AUTH_URL.
    #[arg(long, env = "TASK_JWKS_URL")]
    pub jwks_url: Option<String>,
    /// The secret of this service's account at auth-service (`ds_…`), with the
    /// scope trust:watch: then revocations are told at once. Without it this
    /// service lives from the signing keys alone.
    #[arg(long, env = "TASK_SERVICE_SECRET", hide_env_values = true)]
    pub service_secret: Option<Secret>,
    /// File with the secret; read whenever it is needed.
    #[arg(long, env = "TASK_SERVICE_SECRET_FILE")]
    pub service_secret_file: Option<PathBuf>,
    /// The only issuer (`iss`) whose tokens are believed.
    #[arg(long, env = "TASK_ISSUER", default_value = "http://localhost:50051")]
    pub issuer: String,
    /// The name of this service in the `aud` of tokens.
    #[arg(long, env = "TASK_AUDIENCE", default_value = "task-service")]
    pub audience: String,
    /// The longest lifetime of a token that is believed.
    #[arg(long, env = "TASK_MAX_ACCESS_TOKEN_TTL", default_value = "1h", value_parser = duration)]
    pub max_access_token_ttl: Duration,
    /// How often the signing keys are fetched.
    #[arg(long, env = "TASK_KEYS_REFRESH", default_value = "60s", value_parser = duration)]
    pub keys_refresh: Duration,
    /// How long ago the signing keys may have been confirmed, by the trust feed or
    /// by fetching them, before TASK_TRUST_WHEN_STALE says whom to believe.
    #[arg(long, env = "TASK_TRUST_MAX_STALENESS", default_value = "24h", value_parser = duration)]
    pub trust_max_staleness: Duration,
    /// Who is believed when the signing keys are too old: nobody, or everybody
    /// by the keys that are known.
    #[arg(long, env = "TASK_TRUST_WHEN_STALE", default_value = "closed")]
    pub trust_when_stale: WhenStale,
    /// A file that remembers the signing keys over a restart.
    #[arg(long, env = "TASK_KEY_CACHE_FILE")]
    pub key_cache_file: Option<PathBuf>,

    /// How log lines look.
    #[arg(long, env = "TASK_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
    /// What is logged.
    #[arg(long, env = "TASK_LOG", default_value = DEFAULT_FILTER)]
    pub log: String,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Apply migrations and functions as the owner of the database.
    Migrate,
    /// Ask the running service, by its admin address, whether it is ready.
    Health,
}

impl Settings for Config {
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match self.command {
            Some(Command::Migrate) => faults.extend(self.owner_database().err()),
            Some(Command::Health) => {
                let missing = || "TASK_ADMIN_ADDR is missing".to_owned();
                faults.extend(self.admin_addr.is_none().then(missing));
            }
            None => {
                faults.extend(self.database().err());
                faults.extend(self.page_token_key().err());
                faults.extend(self.credential().err());
                faults.extend(bad_url("TASK_AUTH_URL", &self.auth_url));
                faults.extend(self.jwks_url.iter().find_map(|url| bad_url("TASK_JWKS_URL", url)));
                faults.extend(self.tls().err());
                faults.extend(self.out_of_bounds());
            }
        }
        faults
    }
}

impl Config {
    /// How to reach the database as the service.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn database(&self) -> Result<PgConnectOptions, String> {
        let file = self.database_url_file.as_deref();
        config::postgres("TASK_DATABASE_URL", self.database_url.as_ref(), file)
    }

    /// How to reach the database as its owner.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn owner_database(&self) -> Result<PgConnectOptions, String> {
        let direct = self.owner_database_url.as_ref();
        let file = self.owner_database_url_file.as_deref();
        config::postgres("TASK_OWNER_DATABASE_URL", direct, file)
    }

    /// What page tokens are sealed with.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn page_token_key(&self) -> Result<Key, String> {
        let file = self.page_token_key_file.as_deref();
        config::needed_key("TASK_PAGE_TOKEN_KEY", self.page_token_key.as_ref(), file)
    }

    /// Where the signing keys come from. Nothing is fetched yet; needs a runtime.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn key_source(&self) -> anyhow::Result<Box<dyn KeySource>> {
        if let Some(url) = &self.jwks_url {
            return Ok(Box::new(UrlKeys::new(url)?));
        }
        Ok(Box::new(GrpcKeys::new(self.auth_channel()?)))
    }

    /// Whom the service believes, and about what.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            max_lifetime: self.max_access_token_ttl,
        }
    }

    /// The certificate to serve with, if TLS is wanted.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn tls(&self) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
        let key = self.tls_key_file.as_deref();
        config::certificate("TASK", self.tls_cert_file.as_deref(), key)
    }

    /// How much a user may have.
    #[must_use]
    pub fn quotas(&self) -> Quotas {
        Quotas { tasks: self.max_tasks, lists: self.max_lists }
    }

    /// How the feed is run.
    #[must_use]
    pub fn feed(&self) -> feed::Settings {
        let (per_user, in_total) = (self.max_watches_per_user, self.max_watches);
        feed::Settings { limits: feed::hub::Limits { per_user, in_total }, poll: self.watch_poll }
    }

    /// The limits of the listener.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            in_flight: self.max_in_flight,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            trusted_proxies: self.trusted_proxies.clone(),
            unary_deadline: self.call_deadline,
            drain_delay: self.drain_delay,
            slow_methods: SLOW_METHODS,
            ..Limits::default()
        }
    }

    fn out_of_bounds(&self) -> impl Iterator<Item = String> {
        [
            (self.max_in_flight == 0, "TASK_MAX_IN_FLIGHT must not be 0"),
            (self.max_connections == 0, "TASK_MAX_CONNECTIONS must not be 0"),
            (
                self.max_connections_per_address == 0,
                "TASK_MAX_CONNECTIONS_PER_ADDRESS must not be 0",
            ),
            (self.call_deadline.is_zero(), "TASK_CALL_DEADLINE must not be 0s"),
            (self.database_connections == 0, "TASK_DATABASE_CONNECTIONS must not be 0"),
            (self.max_watches_per_user == 0, "TASK_MAX_WATCHES_PER_USER must not be 0"),
            (self.max_watches == 0, "TASK_MAX_WATCHES must not be 0"),
            (
                self.watch_poll < Duration::from_millis(100),
                "TASK_WATCH_POLL must be at least 100ms",
            ),
            (self.issuer.is_empty(), "TASK_ISSUER must not be empty"),
            (self.audience.is_empty(), "TASK_AUDIENCE must not be empty"),
            (
                self.max_access_token_ttl < Duration::from_secs(1),
                "TASK_MAX_ACCESS_TOKEN_TTL must be at least 1s",
            ),
            (self.keys_refresh < Duration::from_secs(1), "TASK_KEYS_REFRESH must be at least 1s"),
            (
                self.trust_max_staleness <= self.keys_refresh,
                "TASK_TRUST_MAX_STALENESS must be longer than TASK_KEYS_REFRESH",
            ),
        ]
        .into_iter()
        .filter(|(bad, _)| *bad)
        .map(|(_, fault)| fault.to_owned())
    }
}

fn bad_url(name: &str, url: &str) -> Option<String> {
    let good =
        url.parse::<Uri>().is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")));
    (!good).then(|| format!("{name} must be a URL that begins with http:// or https://"))
}
