//! The configuration of auth-service. `auth-service --help` is its reference.

pub mod abuse;
mod export;
mod factors;
pub mod mail;
mod operation;
mod passwords;
mod service_account;
mod trust;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Parser, ValueEnum};
use jsonwebtoken::Algorithm;
use shared::{
    config::{self, Settings, duration},
    secret::{Key, Secret},
    server::{Limits, Origin},
    telemetry::LogFormat,
};
use sqlx::postgres::PgConnectOptions;

use self::abuse::Abuse;
pub use self::{
    export::Export,
    factors::SecondFactors,
    operation::{
        AdminCommand, AuditCommand, Command, CreateOperator, DropFactors, ErasuresCommand, Explain,
        RevokeOperator,
    },
    passwords::{PasswordProfile, Passwords},
    service_account::{Ensure, ServiceAccountCommand},
};
use crate::{cookie::Cookies, sessions::Lifetimes, token::Issuing};

/// The name of this service in the `aud` of access tokens.
pub const AUDIENCE: &str = "auth-service";

/// Methods that hash a password and take longer than others.
const SLOW_METHODS: &[&str] = &[
    "/auth.v1.AuthService/SignUp",
    "/auth.v1.AuthService/SignIn",
    "/auth.v1.AuthService/ResetPassword",
    "/auth.v1.AccountService/ChangePassword",
    "/auth.v1.AccountService/Reauthenticate",
];

/// Accounts, sessions and signing keys of Duet, over gRPC.
///
/// Every secret NAME can be given as NAME_FILE instead: the path of a file that
/// holds it. Durations are written 30s, 5m, 12h, 7d.
#[derive(Clone, Debug, Parser)]
#[command(name = "auth-service", version, args_override_self = true)]
pub struct Config {
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address for gRPC, grpc-web and /.well-known/jwks.json.
    #[arg(long, env = "AUTH_LISTEN_ADDR", default_value = "127.0.0.1:50051")]
    pub listen_addr: SocketAddr,
    /// Address for /livez, /readyz and /metrics; none if absent.
    #[arg(long, env = "AUTH_ADMIN_ADDR")]
    pub admin_addr: Option<SocketAddr>,
    /// Certificate chain in PEM; TLS if given.
    #[arg(long, env = "AUTH_TLS_CERT_FILE")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, env = "AUTH_TLS_KEY_FILE")]
    pub tls_key_file: Option<PathBuf>,
    /// Origins of pages that may call, separated by commas.
    #[arg(long, env = "AUTH_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<Origin>,
    /// Whether anyone may ask for the list of methods.
    #[arg(long, env = "AUTH_REFLECTION", default_value_t = true, action = clap::ArgAction::Set)]
    pub reflection: bool,
    /// Calls handled at once; more are refused.
    #[arg(long, env = "AUTH_MAX_IN_FLIGHT", default_value_t = 1024)]
    pub max_in_flight: usize,
    /// How long calls are still taken after health says NOT_SERVING.
    #[arg(long, env = "AUTH_DRAIN_DELAY", default_value = "0s", value_parser = duration)]
    pub drain_delay: Duration,

    /// Postgres, as the role auth_app: postgres://auth_app@host/auth.
    #[arg(long, env = "AUTH_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// File with the database URL.
    #[arg(long, env = "AUTH_DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,
    /// Postgres as the role auth_owner; only for `migrate`.
    #[arg(long, env = "AUTH_OWNER_DATABASE_URL", hide_env_values = true)]
    pub owner_database_url: Option<Secret>,
    /// File with the owner's database URL.
    #[arg(long, env = "AUTH_OWNER_DATABASE_URL_FILE")]
    pub owner_database_url_file: Option<PathBuf>,
    /// Connections to Postgres at most.
    #[arg(long, env = "AUTH_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,

    /// What signing keys and refresh tokens are sealed with: 32 bytes in base64.
    #[arg(long, env = "AUTH_KEY_ENCRYPTION_KEY", hide_env_values = true)]
    pub key_encryption_key: Option<Secret>,
    /// File with the key-encryption key.
    #[arg(long, env = "AUTH_KEY_ENCRYPTION_KEY_FILE")]
    pub key_encryption_key_file: Option<PathBuf>,
    /// The key-encryption key before this one; still opens what it sealed.
    #[arg(long, env = "AUTH_PREVIOUS_KEY_ENCRYPTION_KEY", hide_env_values = true)]
    pub previous_key_encryption_key: Option<Secret>,
    /// File with the previous key-encryption key.
    #[arg(long, env = "AUTH_PREVIOUS_KEY_ENCRYPTION_KEY_FILE")]
    pub previous_key_encryption_key_file: Option<PathBuf>,

    /// Who issues the tokens (`iss`).
    #[arg(long, env = "AUTH_ISSUER", default_value = "http://localhost:50051")]
    pub issuer: String,
    /// Services that tokens are for (`aud`) besides this one.
    #[arg(long, env = "AUTH_AUDIENCE", default_value = "task-service", value_delimiter = ',')]
    pub audience: Vec<String>,
    /// How long an access token is good.
    #[arg(long, env = "AUTH_ACCESS_TOKEN_TTL", default_value = "5m", value_parser = duration)]
    pub access_token_ttl: Duration,
    /// What new keys sign with.
    #[arg(long, env = "AUTH_SIGNING_ALGORITHM", default_value = "eddsa")]
    pub signing_algorithm: SigningAlgorithm,
    /// How long a key signs before the next one does.
    #[arg(long, env = "AUTH_KEY_ROTATION", default_value = "30d", value_parser = duration)]
    pub key_rotation: Duration,
    /// How long a key is published before it signs; at least twice as long as
    /// verifiers keep what they fetched.
    #[arg(long, env = "AUTH_KEY_LEAD", default_value = "1h", value_parser = duration)]
    pub key_lead: Duration,
    /// What verifiers are told.
    #[command(flatten)]
    pub trust: trust::Trust,

    /// How long a session lives without a refresh.
    #[arg(long, env = "AUTH_SESSION_IDLE_TTL", default_value = "7d", value_parser = duration)]
    pub session_idle_ttl: Duration,
    /// How long a session lives in all.
    #[arg(long, env = "AUTH_SESSION_MAX_TTL", default_value = "30d", value_parser = duration)]
    pub session_max_ttl: Duration,
    /// For how long the refresh token before the current one gets the same
    /// successor again; 0s to end the session at once.
    #[arg(long, env = "AUTH_REFRESH_GRACE", default_value = "10s", value_parser = duration)]
    pub refresh_grace: Duration,
    /// Whether the session cookie is for HTTPS only.
    #[arg(long, env = "AUTH_COOKIE_SECURE", default_value_t = true, action = clap::ArgAction::Set)]
    pub cookie_secure: bool,

    /// Which passwords are accepted, and how they are hashed.
    #[command(flatten)]
    pub passwords: Passwords,
    /// What keeps guessing and flooding slow.
    #[command(flatten)]
    pub abuse: Abuse,
    /// Second factors, and proving again who one is.
    #[command(flatten)]
    pub second_factors: SecondFactors,
    /// Mail, and what depends on it.
    #[command(flatten)]
    pub mail: mail::MailConfig,
    /// What other services have of a user.
    #[command(flatten)]
    pub export: Export,

    /// How log lines look.
    #[arg(long, env = "AUTH_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
    /// What is logged.
    #[arg(long, env = "AUTH_LOG", default_value = shared::telemetry::DEFAULT_FILTER)]
    pub log: String,
}

/// What keys sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SigningAlgorithm {
    /// Ed25519.
    Eddsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Settings for Config {
    fn faults(&self) -> Vec<String> {
        let needed = match &self.command {
            Some(Command::Migrate) => self.owner_database().err(),
            Some(Command::Health) => None,
            Some(_) | None => self.database().err(),
        };
        let mut faults: Vec<String> = needed.into_iter().collect();
        if self.command.is_none() {
            faults.extend(self.keys().err());
            faults.extend(self.passwords.hashing().err());
            faults.extend(self.tls().err());
            faults.extend(self.mail.faults());
            faults.extend(self.trust.faults(self.key_lead));
        }
        faults.extend(self.abuse.faults());
        if matches!(self.command, Some(Command::Admin(AdminCommand::Create(_)))) {
            faults.extend(self.passwords.hashing().err());
        }
        let mut must = |holds: bool, fault: &str| {
            if !holds {
                faults.push(fault.to_owned());
            }
        };
        let seconds = Duration::from_secs;
        must(
            (seconds(1)..=seconds(3600)).contains(&self.access_token_ttl),
            "AUTH_ACCESS_TOKEN_TTL must be between 1s and 1h",
        );
        must(self.refresh_grace <= seconds(60), "AUTH_REFRESH_GRACE must be at most 60s");
        must(
            seconds(1) <= self.session_idle_ttl && self.session_idle_ttl <= self.session_max_ttl,
            "AUTH_SESSION_IDLE_TTL must be at least 1s and at most AUTH_SESSION_MAX_TTL",
        );
        must(
            self.session_max_ttl <= seconds(3650 * 86400),
            "AUTH_SESSION_MAX_TTL must be at most 3650d",
        );
        must(
            !self.key_lead.is_zero() && self.key_lead * 2 <= self.key_rotation,
            "AUTH_KEY_LEAD must be more than 0s and at most half of AUTH_KEY_ROTATION",
        );
        must(self.key_rotation <= seconds(3650 * 86400), "AUTH_KEY_ROTATION must be at most 3650d");
        must(self.database_connections > 0, "AUTH_DATABASE_CONNECTIONS must not be 0");
        must(self.max_in_flight > 0, "AUTH_MAX_IN_FLIGHT must not be 0");
        must(!self.issuer.is_empty(), "AUTH_ISSUER must not be empty");
        faults.extend(self.passwords.faults());
        faults.extend(self.second_factors.faults());
        faults.extend(self.export.faults(&self.audience));
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
        config::postgres("AUTH_DATABASE_URL", self.database_url.as_ref(), file)
    }

    /// How to reach the database as its owner.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn owner_database(&self) -> Result<PgConnectOptions, String> {
        let direct = self.owner_database_url.as_ref();
        let file = self.owner_database_url_file.as_deref();
        config::postgres("AUTH_OWNER_DATABASE_URL", direct, file)
    }

    /// The key-encryption key and the one before it.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn keys(&self) -> Result<(Key, Option<Key>), String> {
        let direct = self.key_encryption_key.as_ref();
        let file = self.key_encryption_key_file.as_deref();
        let current = config::needed_key("AUTH_KEY_ENCRYPTION_KEY", direct, file)?;
        let direct = self.previous_key_encryption_key.as_ref();
        let file = self.previous_key_encryption_key_file.as_deref();
        Ok((current, config::key("AUTH_PREVIOUS_KEY_ENCRYPTION_KEY", direct, file)?))
    }

    /// The certificate to serve with, if TLS is wanted.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn tls(&self) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
        let key = self.tls_key_file.as_deref();
        config::certificate("AUTH", self.tls_cert_file.as_deref(), key)
    }

    /// The limits of the listener.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            in_flight: self.max_in_flight,
            drain_delay: self.drain_delay,
            trusted_proxies: self.abuse.trusted_proxies.clone(),
            slow_methods: SLOW_METHODS,
            ..Limits::default()
        }
    }

    /// What tokens say.
    #[must_use]
    pub fn issuing(&self) -> Issuing {
        let mut audience = vec![AUDIENCE.to_owned()];
        audience.extend(self.audience.iter().filter(|name| *name != AUDIENCE).cloned());
        Issuing { issuer: self.issuer.clone(), audience, lifetime: self.access_token_ttl }
    }

    /// How long sessions live.
    #[must_use]
    pub const fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: self.session_idle_ttl,
            most: self.session_max_ttl,
            grace: self.refresh_grace,
        }
    }

    /// How what a browser keeps travels.
    #[must_use]
    pub fn cookies(&self) -> Cookies {
        let origins = self.allowed_origins.iter().map(ToString::to_string).collect();
        Cookies { secure: self.cookie_secure, origins, device_ttl: self.abuse.device_ttl }
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Eddsa => Self::EdDSA,
            SigningAlgorithm::Es256 => Self::ES256,
        }
    }
}
