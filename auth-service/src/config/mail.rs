//! The settings of mail, and of what is told to whom about accounts.
//!
//! Invariant: there is one way for mails to leave by, or none; and no link in a
//! mail leads to a page that nobody named.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lettre::message::Mailbox;
use shared::secret::Secret;

use crate::{
    mail::post::{Post, Way},
    passkey::RelyingParty,
};

/// The settings of mail.
#[derive(Clone, Debug, Args)]
pub struct MailConfig {
    /// The mail server: smtps://user:password@host:465, or smtp://… for one with
    /// STARTTLS; smtp://host:25?tls=none speaks in clear.
    #[arg(long, env = "AUTH_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<Secret>,
    /// File with the URL of the mail server.
    #[arg(long, env = "AUTH_SMTP_URL_FILE")]
    pub smtp_url_file: Option<PathBuf>,
    /// Certificate in PEM that the mail server's may be signed by, besides the
    /// system's.
    #[arg(long, env = "AUTH_SMTP_CA_FILE")]
    pub smtp_ca_file: Option<PathBuf>,
    /// Folder that mails are put into instead of being sent, each as a file.
    #[arg(long, env = "AUTH_MAIL_DIR")]
    pub mail_dir: Option<PathBuf>,
    /// Who mails are from: Duet <duet@example.org>.
    #[arg(long, env = "AUTH_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Address of the page, where links in mails lead: `https://duet.example.org`.
    /// Passkeys belong to its host, and none is good under another one.
    #[arg(long, env = "AUTH_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Whether sign-up tells who has an account.
    #[arg(long, env = "AUTH_ENUMERATION", default_value = "open")]
    pub enumeration: Enumeration,
}

/// Whether sign-up tells who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Enumeration {
    /// A taken address is refused; a free one has an account and a session at once.
    Open,
    /// Both are answered alike, and a mail says how to go on.
    Strict,
}

impl MailConfig {
    /// What is wrong, a sentence each that begins with the setting's name.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let smtp = self.smtp_url.is_some() || self.smtp_url_file.is_some();
        match (smtp, self.mail_dir.is_some()) {
            (true, true) => {
                faults.push("AUTH_SMTP_URL and AUTH_MAIL_DIR exclude each other".into())
            }
            (false, false) if self.enumeration == Enumeration::Strict => faults.push(
                "AUTH_ENUMERATION=strict needs mail: AUTH_SMTP_URL or AUTH_MAIL_DIR".to_owned(),
            ),
            (false, false) if self.public_url.is_some() => faults.extend(self.page().err()),
            (false, false) => {}
            (true, false) | (false, true) => {
                let from = self.from();
                faults.extend(self.page().err());
                if let (Ok(from), true) = (&from, smtp) {
                    faults.extend(self.server(from).err());
                }
                faults.extend(from.err());
            }
        }
        faults
    }

    /// The way that mails leave by, if there is one.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn post(&self) -> Result<Option<Post>, String> {
        let way = match &self.mail_dir {
            Some(folder) => {
                Way::folder(folder).map_err(|fault| format!("AUTH_MAIL_DIR {fault}"))?
            }
            None if self.smtp_url.is_some() || self.smtp_url_file.is_some() => {
                self.server(&self.from()?)?
            }
            None => return Ok(None),
        };
        Ok(Some(Post { from: self.from()?, page: self.page()?, way }))
    }

    /// The page that passkeys belong to; none if they can belong to none.
    #[must_use]
    pub fn relying_party(&self) -> Option<RelyingParty> {
        self.public_url.as_deref().and_then(RelyingParty::at)
    }

    fn server(&self, from: &Mailbox) -> Result<Way, String> {
        let fault = |fault: String| format!("AUTH_SMTP_URL {fault}");
        let url = Secret::either(self.smtp_url.as_ref(), self.smtp_url_file.as_deref());
        let url = url.map_err(fault)?.ok_or_else(|| fault("is missing".to_owned()))?;
        let unreadable = |error| format!("AUTH_SMTP_CA_FILE cannot be read: {error}");
        let authority = self.smtp_ca_file.as_ref().map(std::fs::read).transpose();
        Way::server(&url, authority.map_err(unreadable)?.as_deref(), from).map_err(fault)
    }

    fn from(&self) -> Result<Mailbox, String> {
        let from = self.mail_from.as_ref().ok_or("AUTH_MAIL_FROM is missing")?;
        let fault = "AUTH_MAIL_FROM must be an address, as Duet <duet@example.org>";
        from.parse().map_err(|_| fault.to_owned())
    }

    fn page(&self) -> Result<String, String> {
        let page = self.public_url.as_ref().ok_or("AUTH_PUBLIC_URL is missing")?;
        let fault = "AUTH_PUBLIC_URL must be an http or https address without ? and #";
        let read: http::Uri = page.parse().map_err(|_| fault)?;
        let web = matches!(read.scheme_str(), Some("http" | "https"));
        if !web || read.query().is_some() || page.contains('#') {
            return Err(fault.to_owned());
        }
        Ok(page.trim_end_matches('/').to_owned())
    }
}
