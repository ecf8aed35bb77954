//! The settings of both services: what the environment says, completed with
//! what `duet up` knows better than a default.

use std::{ffi::OsString, fmt::Write as _};

use shared::{
    config::{Refusal, read_with},
    server::Origin,
};

use super::{Addresses, Home, Ports, Up};

/// The settings of both services.
pub(super) struct Settings {
    pub(super) auth: auth_service::config::Config,
    pub(super) task: task_service::config::Config,
    /// The origins whose pages may call both services at the page's address.
    pub(super) origins: Vec<Origin>,
}

impl Settings {
    /// Reads the settings. The error names everything that is wrong.
    pub(super) fn read(up: &Up, home: &Home, ports: &Ports) -> Result<Self, String> {
        let Addresses { web, auth: auth_address, task: task_address } = ports.addresses;
        let mut faults = Vec::new();
        let mut key = |name| {
            let key = home.key(name);
            key.map_err(|error| faults.push(format!("{error:#}"))).ok()
        };
        let (sealing, pages) = (key("key-encryption-key"), key("page-token-key"));
        let own = own_origins(web.port());
        if up.auth_database_url.is_some() != up.task_database_url.is_some() {
            faults.push("AUTH_DATABASE_URL and TASK_DATABASE_URL go together".to_owned());
        }
        // The embedded database has no URL before it runs; the services ask for one.
        let embedded = || Some("postgres://localhost/embedded".to_owned().into());

        let auth = read_with(program("auth-service"), |auth: &mut auth_service::config::Config| {
            auth.listen_addr = auth_address;
            auth.database_url = up.auth_database_url.clone().or_else(embedded);
            auth.cookie_secure = up.auth_cookie_secure;
            let tasks = || format!("http://{}", reachable(task_address));
            auth.export.task_url.get_or_insert_with(tasks);
            auth.allowed_origins.extend(own.clone());
            if auth.key_encryption_key.is_none() && auth.key_encryption_key_file.is_none() {
                auth.key_encryption_key_file = sealing;
            }
            let mail = &mut auth.mail;
            if mail.smtp_url.is_none() && mail.smtp_url_file.is_none() {
                mail.mail_dir.get_or_insert_with(|| home.mail());
            }
            mail.mail_from.get_or_insert_with(|| "Duet <duet@localhost>".to_owned());
            mail.public_url.get_or_insert_with(|| page_url(web));
        });
        let task = read_with(program("task-service"), |task: &mut task_service::config::Config| {
            task.listen_addr = task_address;
            task.database_url = up.task_database_url.clone().or_else(embedded);
            task.auth_url = format!("http://{}", reachable(auth_address));
            task.allowed_origins.extend(own.clone());
            task.key_cache_file.get_or_insert_with(|| home.key_cache());
            if task.page_token_key.is_none() && task.page_token_key_file.is_none() {
                task.page_token_key_file = pages;
            }
        });
        match (auth, task) {
            (Ok(auth), Ok(mut task)) if faults.is_empty() => {
                task.issuer.clone_from(&auth.issuer);
                let origins = together(&auth.allowed_origins, &task.allowed_origins);
                Ok(Self { auth, task, origins })
            }
            (auth, task) => {
                faults.extend(auth.err().into_iter().chain(task.err()).flat_map(sentences));
                let mut text = "The configuration is not acceptable:".to_owned();
                for fault in faults {
                    let _ = write!(text, "\n  {fault}");
                }
                Err(text)
            }
        }
    }
}

/// The address to call a listener at: one that listens everywhere is here, too.
pub(super) fn reachable(address: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let mut reachable = address;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => reachable.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => reachable.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    reachable
}

/// Where a browser finds the page that is served at `web`. On this machine that is
/// a name: passkeys belong to a host name, and an address is none.
pub(super) fn page_url(web: std::net::SocketAddr) -> String {
    let web = reachable(web);
    if web.ip().is_loopback() {
        format!("http://localhost:{}", web.port())
    } else {
        format!("http://{web}")
    }
}

/// Under which names a browser on this machine finds the page.
fn own_origins(port: u16) -> Vec<Origin> {
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .filter_map(|host| format!("http://{host}:{port}").parse().ok())
        .collect()
}

/// What either service allows is allowed where both are: who may use the cookie
/// is judged by auth-service all the same.
fn together(some: &[Origin], others: &[Origin]) -> Vec<Origin> {
    let more = others.iter().filter(|origin| !some.contains(origin));
    some.iter().chain(more).cloned().collect()
}

fn program(name: &str) -> [OsString; 1] {
    [OsString::from(name)]
}

fn sentences(refusal: Refusal) -> Vec<String> {
    match refusal {
        Refusal::Faults(faults) => faults,
        Refusal::Clap(error) => vec![error.to_string()],
    }
}
