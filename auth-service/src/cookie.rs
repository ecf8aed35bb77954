//! The cookies that carry what a browser keeps: the refresh token, and the pass
//! by which the device is known. No script can read them, no other site can send
//! them, and calls that read them must come from a page of an allowed origin.

use std::time::Duration;

use shared::{
    error::{Failure, Reason},
    secret::Secret,
};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};

/// How long the cookie of a session that is over is kept.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 3600);

/// How the cookies are set.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// Whether they are sent over HTTPS only, as everywhere but on a developer's
    /// own machine.
    pub secure: bool,
    /// The origins of pages that may use them, as `https://tasks.example.org`.
    pub origins: Vec<String>,
    /// How long a device is known.
    pub device_ttl: Duration,
}

impl Cookies {
    // The prefix makes browsers insist on Secure, Path=/ and no Domain.
    const fn refresh_token(&self) -> &'static str {
        if self.secure { "__Host-duet-rt" } else { "duet-rt" }
    }

    const fn device(&self) -> &'static str {
        if self.secure { "__Host-duet-device" } else { "duet-device" }
    }

    /// The refresh token that came in its cookie, if any.
    ///
    /// # Errors
    /// PERMISSION_DENIED (ORIGIN_REJECTED), if there is one and the call does
    /// not come from an allowed origin.
    pub fn read(&self, metadata: &MetadataMap) -> Result<Option<Secret>, Failure> {
        let token = find(metadata, self.refresh_token());
        token.map(|token| self.check_origin(metadata).map(|()| token)).transpose()
    }

    /// The pass that came in its cookie, if any and from an allowed origin.
    #[must_use]
    pub fn read_device(&self, metadata: &MetadataMap) -> Option<Secret> {
        find(metadata, self.device()).filter(|_| self.check_origin(metadata).is_ok())
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
        self.header(self.refresh_token(), token.expose(), (lives + KEPT_AFTER_END).as_secs())
    }

    /// The header that stores a pass in the browser. Signing out leaves it: the
    /// device is still the user's.
    ///
    /// # Errors
    /// As `store`.
    pub fn store_device(&self, pass: &Secret) -> anyhow::Result<MetadataValue<Ascii>> {
        self.header(self.device(), pass.expose(), self.device_ttl.as_secs())
    }

    /// The header that removes the refresh token.
    ///
    /// # Errors
    /// Never in practice; see `store`.
    pub fn clear(&self) -> anyhow::Result<MetadataValue<Ascii>> {
        self.header(self.refresh_token(), "", 0)
    }

    fn header(
        &self,
        name: &str,
        value: &str,
        max_age: u64,
    ) -> anyhow::Result<MetadataValue<Ascii>> {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
        let mut header = MetadataValue::try_from(cookie)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

/// What a cookie carries; none if it is empty.
fn find(metadata: &MetadataMap, name: &str) -> Option<Secret> {
    // Over HTTP/2 a browser may send each cookie in a field of its own.
    let fields = metadata.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    fields
        .flat_map(|field| field.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
        .filter(|value| !value.is_empty())
        .map(|value| value.to_owned().into())
}
