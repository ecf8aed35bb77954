//! Passes by which a device is known that its user signed in on before: `dp1.`
//! and base64url of version, user, device, time of issue, a MAC, and a checksum
//! that tells a mistyped pass from a forged one. Nothing of it is stored.
//!
//! Invariant: a pass signs nobody in. It only has the attempts of its device
//! counted apart from everybody else's with the same e-mail.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use shared::secret::Secret;
use uuid::Uuid;

use crate::sealing::{MAC_BYTES, Sealer};

const PREFIX: &str = "dp1.";
const PURPOSE: &str = "device passes";
const VERSION: u8 = 1;
const BODY_BYTES: usize = 1 + 16 + 16 + 8;
const PASS_BYTES: usize = BODY_BYTES + MAC_BYTES + 4;

/// Whose device is known, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DevicePass {
    /// The user who signed in on it.
    pub user: Uuid,
    /// The device's id.
    pub device: Uuid,
    /// When, to the microsecond. Passes from before `data.users.devices_since`
    /// are good no more.
    pub issued_at: DateTime<Utc>,
}

impl DevicePass {
    /// The pass as the client holds it.
    #[must_use]
    pub fn seal(&self, sealer: &Sealer) -> Secret {
        let mut pass = vec![VERSION];
        pass.extend(self.user.as_bytes());
        pass.extend(self.device.as_bytes());
        pass.extend(self.issued_at.timestamp_micros().to_be_bytes());
        pass.extend(sealer.tag(PURPOSE, &pass));
        pass.extend(crc32fast::hash(&pass).to_be_bytes());
        Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(pass)))
    }

    /// Reads a pass, if this service issued it and it is not older than `ttl`.
    #[must_use]
    pub fn open(pass: &str, sealer: &Sealer, ttl: Duration, now: DateTime<Utc>) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(pass.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; PASS_BYTES] = bytes.try_into().ok()?;
        let (authenticated, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(authenticated).to_be_bytes() != *checksum {
            return None;
        }
        let (body, mac) = authenticated.split_first_chunk::<BODY_BYTES>()?;
        let read = Self::read(body)?;
        let age = now.signed_duration_since(read.issued_at).to_std().unwrap_or_default();
        (age <= ttl && sealer.tag_is_good(PURPOSE, body, mac)).then_some(read)
    }

    fn read(body: &[u8; BODY_BYTES]) -> Option<Self> {
        let (&VERSION, rest) = body.split_first()? else { return None };
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (device, issued) = rest.split_first_chunk::<16>()?;
        Some(Self {
            user: Uuid::from_bytes(*user),
            device: Uuid::from_bytes(*device),
            issued_at: DateTime::from_timestamp_micros(i64::from_be_bytes(
                issued.try_into().ok()?,
            ))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use shared::secret::Key;

    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * 86_400);

    #[test]
    fn a_pass_is_read_back_for_a_year_and_no_forgery_is() {
        let key = Key::random();
        let sealer = Sealer::new(&key, None);
        let issued_at = DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap();
        let pass = DevicePass { user: Uuid::from_u128(1), device: Uuid::from_u128(2), issued_at };
        let sealed = pass.seal(&sealer);
        let text = sealed.expose();
        assert_eq!(DevicePass::open(text, &sealer, YEAR, issued_at), Some(pass));
        let rotated = Sealer::new(&Key::random(), Some(&key));
        assert_eq!(DevicePass::open(text, &rotated, YEAR, issued_at), Some(pass));
        let late = issued_at + TimeDelta::days(365);
        assert_eq!(DevicePass::open(text, &sealer, YEAR, late), Some(pass));
        assert_eq!(DevicePass::open(text, &sealer, YEAR, late + TimeDelta::seconds(1)), None);

        let other = Sealer::new(&Key::random(), None);
        assert_eq!(DevicePass::open(text, &other, YEAR, issued_at), None);
        for at in 0..text.len() {
            let swapped = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let forged = format!("{}{swapped}{}", &text[..at], &text[at + 1..]);
            assert_eq!(DevicePass::open(&forged, &sealer, YEAR, issued_at), None, "{at}");
        }
        for bad in ["", "dp1.", "rt1.", &text[..text.len() - 1], &format!("{text}A")] {
            assert_eq!(DevicePass::open(bad, &sealer, YEAR, issued_at), None, "{bad}");
        }
    }
}
