//! How a program reads its configuration: one flat `clap` struct whose fields
//! are flags and environment variables at once, so that `--help` is the
//! reference. Bad configuration ends the program with exit code 64, before a
//! port is bound, and every bad setting is named at once.

use std::{
    ffi::OsString, fmt, path::Path, process::ExitCode, str::FromStr as _, sync::Arc, time::Duration,
};

use clap::{Command, Parser, error::ErrorKind};
use rustls::ServerConfig;
use sqlx::postgres::PgConnectOptions;

use crate::{
    secret::{Key, Secret},
    server::tls,
};

/// The exit code for bad configuration: EX_USAGE of sysexits.h.
pub const EXIT_USAGE: u8 = 64;

/// A configuration that can tell what is wrong with it as a whole. Conditions
/// between settings stand in `faults`, not in clap's `requires`.
pub trait Settings: Parser {
    /// What is wrong, a sentence each that begins with the setting's name.
    fn faults(&self) -> Vec<String>;
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Refusal {
    /// The user asked for help or the version, or misused a flag; clap has the
    /// words for it.
    Clap(clap::Error),
    /// These settings are not acceptable.
    Faults(Vec<String>),
}

impl Refusal {
    /// Prints the refusal and tells the program's exit code.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Clap(error) => {
                // If nobody listens, there is nobody to tell.
                drop(error.print());
                if error.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
            }
            Self::Faults(_) => {
                eprintln!("{self}");
                ExitCode::from(EXIT_USAGE)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clap(error) => error.fmt(f),
            Self::Faults(faults) => {
                f.write_str("The configuration is not acceptable:")?;
                faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
            }
        }
    }
}

/// Reads a configuration from the command line and the environment.
///
/// # Errors
/// A refusal that names every bad setting.
pub fn read<T: Settings>(args: impl IntoIterator<Item = OsString>) -> Result<T, Refusal> {
    read_with(args, |_| {})
}

/// As `read`; `complete` fills in what the program knows better than a default.
///
/// # Errors
/// A refusal that names every bad setting.
pub fn read_with<T: Settings>(
    args: impl IntoIterator<Item = OsString>,
    complete: impl FnOnce(&mut T),
) -> Result<T, Refusal> {
    let mut faults = bad_variables(&T::command());
    match T::try_parse_from(args) {
        Ok(mut settings) => {
            complete(&mut settings);
            faults.extend(settings.faults());
            if faults.is_empty() { Ok(settings) } else { Err(Refusal::Faults(faults)) }
        }
        Err(error) if faults.is_empty() || !error.use_stderr() => Err(Refusal::Clap(error)),
        Err(_) => Err(Refusal::Faults(faults)),
    }
}

/// A duration as people write it: `30s`, `5m`, `7d`.
///
/// # Errors
/// In words for the operator.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error} (write 30s, 5m, 12h or 7d)"))
}

/// How to reach the Postgres that the setting `name` leads to, given directly
/// or by file.
///
/// # Errors
/// In words for the operator, beginning with the setting's name.
pub fn postgres(
    name: &str,
    direct: Option<&Secret>,
    file: Option<&Path>,
) -> Result<PgConnectOptions, String> {
    let url = Secret::either(direct, file).map_err(|fault| format!("{name} {fault}"))?;
    let url = url.ok_or_else(|| format!("{name} is missing"))?;
    // The library's own words could quote the URL, and with it a password.
    PgConnectOptions::from_str(url.expose()).map_err(|_| format!("{name} is not a Postgres URL"))
}

/// The key in the setting `name`, given directly or by file.
///
/// # Errors
/// In words for the operator, beginning with the setting's name.
pub fn key(
    name: &str,
    direct: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Key>, String> {
    let text = Secret::either(direct, file).map_err(|fault| format!("{name} {fault}"))?;
    let key = text.map(|text| Key::parse(text.expose())).transpose();
    key.map_err(|fault| format!("{name} {fault}"))
}

/// The key in the setting `name`, without which the service does not start.
///
/// # Errors
/// In words for the operator, beginning with the setting's name.
pub fn needed_key(name: &str, direct: Option<&Secret>, file: Option<&Path>) -> Result<Key, String> {
    key(name, direct, file)?
        .ok_or_else(|| format!("{name} is missing; make one with `openssl rand -base64 32`"))
}

/// The certificate in the settings `{prefix}_TLS_CERT_FILE` and
/// `{prefix}_TLS_KEY_FILE`, if TLS is wanted.
///
/// # Errors
/// In words for the operator, beginning with the settings' names.
pub fn certificate(
    prefix: &str,
    certificates: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<Arc<ServerConfig>>, String> {
    let names = format!("{prefix}_TLS_CERT_FILE and {prefix}_TLS_KEY_FILE");
    match (certificates, key) {
        (Some(certificates), Some(key)) => {
            tls::load(certificates, key).map(Some).map_err(|error| format!("{names}: {error:#}"))
        }
        (None, None) => Ok(None),
        _ => Err(format!("{names} go together")),
    }
}

/// The environment variables that clap would stumble over, each tried alone:
/// clap itself stops at the first.
fn bad_variables(command: &Command) -> Vec<String> {
    let alone = |argument: &clap::Arg| -> Option<String> {
        let variable = argument.get_env()?.to_str()?.to_owned();
        let error = Command::new("alone")
            .arg(argument.clone().required(false))
            .try_get_matches_from(["alone"])
            .err()
            .filter(|error| error.kind() != ErrorKind::MissingRequiredArgument)?;
        let text = error.to_string();
        let said = text.lines().next().unwrap_or_default();
        Some(format!("{variable}: {}", said.strip_prefix("error: ").unwrap_or(said)))
    };
    command.get_arguments().filter_map(alone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Config {
        #[arg(long, env = "CONFIG_TEST_TTL", default_value = "5m", value_parser = duration)]
        ttl: Duration,
        #[arg(long, default_value_t = 1)]
        least: u32,
    }

    impl Settings for Config {
        fn faults(&self) -> Vec<String> {
            let fault = || "least must not be 0".to_owned();
            (self.least == 0).then(fault).into_iter().collect()
        }
    }

    fn read_test(args: &[&str]) -> Result<Config, Refusal> {
        read(args.iter().map(OsString::from))
    }

    #[test]
    fn defaults_flags_and_faults() {
        assert_eq!(read_test(&["test"]).unwrap().ttl, Duration::from_secs(300));
        assert_eq!(read_test(&["test", "--ttl", "2h"]).unwrap().ttl, Duration::from_secs(7200));
        let refusal = read_test(&["test", "--least", "0"]).unwrap_err();
        assert!(refusal.to_string().contains("least must not be 0"));
        assert!(matches!(read_test(&["test", "--ttl", "soon"]), Err(Refusal::Clap(_))));
    }
}
