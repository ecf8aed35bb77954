//! The cookie that carries a browser's refresh token. No script can read it, no
//! other site can send it, and calls that read it must come from a page of an
//! allowed origin.

use std::time::Duration;

use shared::{
    error::{Failure, Reason},
    secret::Secret,
};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

/// How long the cookie of a session that is over is kept.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 3600);

/// How the cookie is set.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// Whether it is sent over HTTPS only, as everywhere but on a developer's
    /// own machine.
    pub secure: bool,
    /// The origins of pages that may use it, as `https://tasks.example.org`.
    pub origins: Vec<String>,
}

impl Cookies {
    fn name(&self) -> &'static str {
        // The prefix makes browsers insist on Secure, Path=/ and no Domain.
        if self.secure { "__Host-duet-rt" } else { "duet-rt" }
    }

    /// The refresh token that came in the cookie, if any.
    ///
    /// # Errors
    /// PERMISSION_DENIED (ORIGIN_REJECTED), if there is one and the call does
    /// not come from an allowed origin.
    pub fn read(&self, metadata: &MetadataMap) -> Result<Option<Secret>, Failure> {
        // Over HTTP/2 a browser may send each cookie in a field of its own.
        let fields = metadata.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let token = fields
            .flat_map(|field| field.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name()).then_some(value))
            .filter(|value| !value.is_empty());
        token.map(|token| self.check_origin(metadata).map(|()| token.to_owned().into())).transpose()
    }

    /// Makes sure that a call comes from a page of an allowed origin.
    ///
    /// # Errors
    /// PERMISSION_DENIED (ORIGIN_REJECTED).
    pub fn check_origin(&self, metadata: &MetadataMap) -> Result<(), Failure> {
        let mut origins = metadata.get_all("origin").iter();
        let origin = origins.next().and_then(|value| value.to_str().ok());
        match (origin, origins.next()) {
            (Some(origin), None) if self.origins.iter().any(|allowed| allowed == origin) => Ok(()),
            _ => Err(Failure::new(Reason::OriginRejected, "This page may not sign anybody in.")),
        }
    }

    /// The header that stores a refresh token in the browser. The cookie stays
    /// longer than its session, so that whoever comes back late is told that it
    /// expired instead of being taken for a stranger.
    ///
    /// # Errors
    /// If the token is no header text, which it always is.
    pub fn store(&self, token: &Secret, lives: Duration) -> anyhow::Result<MetadataValue<Ascii>> {
        self.header(token.expose(), (lives + KEPT_AFTER_END).as_secs())
    }

    /// The header that removes it.
    ///
    /// # Errors
    /// Never in practice; see `store`.
    pub fn clear(&self) -> anyhow::Result<MetadataValue<Ascii>> {
        self.header("", 0)
    }

    fn header(&self, value: &str, max_age: u64) -> anyhow::Result<MetadataValue<Ascii>> {
        let name = self.name();
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
        let mut header = MetadataValue::try_from(cookie)?;
        header.set_sensitive(true);
        Ok(header)
    }
}
