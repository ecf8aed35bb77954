//! Where messages go: to a mail server, or into a folder.

use std::{
    error::Error as _,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};
use shared::secret::Secret;
use uuid::Uuid;

/// The longest that a mail server may take for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest that sending one message may take.
const SENDING_TIMEOUT: Duration = Duration::from_secs(60);
/// What a mail server's words are cut to, in characters.
const LOGGED_CHARACTERS: usize = 200;
/// With which a server says that there is no such mailbox (RFC 3463, 3.2, with its
/// update in RFC 5248). The reply codes alone say it of policies and lists, too.
const NO_MAILBOX: [&str; 2] = ["5.1.1", "5.1.6"];

/// The way that mails leave this service by, and what stands in them all.
pub struct Post {
    /// Who they are from.
    pub from: Mailbox,
    /// Where their links lead: the page's address, without a slash at its end.
    pub page: String,
    /// Where they go.
    pub way: Way,
}

/// Where messages go.
pub enum Way {
    /// To a mail server.
    Server(AsyncSmtpTransport<Tokio1Executor>),
    /// Into this folder, each as a file.
    Folder(PathBuf),
}

/// Why a message did not leave.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It may later; in words for the log.
    NotNow(String),
    /// The server says that there is no such mailbox.
    Never(String),
}

impl Way {
    /// The server at `url`: `smtps://` speaks TLS from the first byte, `smtp://`
    /// by STARTTLS, with `?tls=none` not at all. `authority` is a certificate in
    /// PEM that is trusted besides the system's.
    ///
    /// # Errors
    /// In words for the operator, without the URL.
    pub fn server(url: &Secret, authority: Option<&[u8]>, from: &Mailbox) -> Result<Self, String> {
        const HOW: &str = "must be smtps://user:password@host:port or smtp://…";
        let (url, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
        let starts = |scheme: &str| url.starts_with(scheme);
        let wants_tls = match query {
            "" if starts("smtps://") || starts("smtp://") => true,
            "tls=none" if starts("smtp://") => false,
            _ => return Err(HOW.to_owned()),
        };
        let parsed: http::Uri = url.parse().map_err(|_| HOW)?;
        let host = parsed.host().ok_or(HOW)?;
        let has_password = parsed.authority().is_some_and(|it| it.as_str().contains('@'));
        if has_password && !wants_tls {
            return Err("must not send a password without TLS".to_owned());
        }
        let url = if wants_tls && starts("smtp://") {
            format!("{url}?tls=required")
        } else {
            url.to_owned()
        };
        // The library's own words could quote the URL, and with it a password.
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| HOW)?;
        if let Some(authority) = authority.filter(|_| wants_tls) {
            let bad = |error| format!("cannot be used with AUTH_SMTP_CA_FILE: {error}");
            let certificate = Certificate::from_pem(authority).map_err(bad)?;
            let trusted = TlsParameters::builder(host.to_owned()).add_root_certificate(certificate);
            let trusted = trusted.build().map_err(bad)?;
            let wrapped = url.starts_with("smtps://");
            server =
                server.tls(if wrapped { Tls::Wrapper(trusted) } else { Tls::Required(trusted) });
        }
        let name = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self::Server(server.hello_name(name).timeout(Some(ANSWER_TIMEOUT)).build()))
    }

    /// The folder at `path`, made if it is not there, for its owner's eyes.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn folder(path: &Path) -> Result<Self, String> {
        let made = std::fs::DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.map_err(|error| format!("cannot be made at {}: {error}", path.display()))?;
        Ok(Self::Folder(path.to_owned()))
    }
}

impl Post {
    /// Sends a message. With `Ok` somebody else is responsible for it; tells
    /// where it is now, if it is a file.
    pub(super) async fn send(
        &self,
        id: Uuid,
        recipient: &str,
        message: &Message,
    ) -> Result<Option<PathBuf>, Refusal> {
        let bytes = message.formatted();
        match &self.way {
            Way::Server(server) => {
                let sending = server.send_raw(message.envelope(), &bytes);
                match tokio::time::timeout(SENDING_TIMEOUT, sending).await {
                    Ok(Ok(_)) => Ok(None),
                    Ok(Err(error)) => Err(refusal(&error, recipient)),
                    Err(_) => Err(Refusal::NotNow("the mail server takes too long".to_owned())),
                }
            }
            Way::Folder(folder) => {
                let file = folder.join(format!("{id}.eml"));
                match write(&file, &bytes) {
                    Ok(()) => Ok(Some(file)),
                    Err(error) => Err(Refusal::NotNow(error.to_string())),
                }
            }
        }
    }
}

fn refusal(error: &lettre::transport::smtp::Error, recipient: &str) -> Refusal {
    // Who gets mail is nobody's business who reads the log.
    let words = error.to_string().replace(recipient, "…");
    let words = words.chars().filter(|c| !c.is_control()).take(LOGGED_CHARACTERS).collect();
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    if error.is_permanent() && says_no_mailbox(&said) {
        Refusal::Never(words)
    } else {
        Refusal::NotNow(words)
    }
}

/// Whether a server's answer begins with an enhanced code (RFC 2034) that says so.
fn says_no_mailbox(answer: &str) -> bool {
    answer.split_whitespace().next().is_some_and(|code| NO_MAILBOX.contains(&code))
}

/// Writes a file that appears whole or not at all. It is small and local, so
/// that waiting for it costs less than a thread.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&new)?.write_all(bytes)?;
    std::fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_does_not_exist_if_the_server_says_just_that() {
        for never in ["5.1.1 no such user", "5.1.6\nthe mailbox has moved"] {
            assert!(says_no_mailbox(never), "{never}");
        }
        for later in ["", "no such user", "5.7.1 blocked by 5.1.1", "5.1.10 null MX", "5.1.2 host"]
        {
            assert!(!says_no_mailbox(later), "{later}");
        }
    }

    #[test]
    fn a_server_is_spoken_to_in_clear_only_if_that_is_said_and_nothing_is_secret() {
        shared::program::install_cryptography();
        let from: Mailbox = "Duet <duet@example.org>".parse().unwrap();
        let server =
            |url: &str| Way::server(&Secret::from(url.to_owned()), None, &from).map(|_| ());
        for good in [
            "smtps://mail.example.org",
            "smtps://user:p%40ss@mail.example.org:465",
            "smtp://user:pass@mail.example.org:587",
            "smtp://127.0.0.1:1025?tls=none",
        ] {
            assert_eq!(server(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://user:hunter2@mail.example.org?tls=none",
            "smtp://user:hunter2@mail.example.org?tls=opportunistic",
            "smtps://mail.example.org?tls=none",
            "smtps://user:hunter2@mail.example.org:99999",
        ] {
            let said = server(bad).unwrap_err();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
