//! Authenticators: time-based one-time passwords (RFC 6238) with what every app
//! knows, SHA-1, six digits, and thirty seconds.
//!
//! Invariant: a code is compared with every step that it may be of, in the same
//! time whatever it is. That a step is used once is the database's to hold.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, hmac};
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::{Color, EcLevel, QrCode};
use shared::secret::Secret;
use zeroize::Zeroizing;

/// The bytes of a secret (RFC 4226, section 4: 160 bits).
pub const SECRET_BYTES: usize = 20;

const STEP_SECONDS: i64 = 30;
const DIGITS: usize = 6;
/// How many steps a clock may be off, either way.
const TOLERANCE: i64 = 1;
/// White around a QR code, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// What an authenticator and we know.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// Six digits, as somebody typed them.
#[derive(Clone)]
pub struct TotpCode(Zeroizing<[u8; DIGITS]>);

impl TotpCode {
    /// Reads a code; blanks and dashes are left out.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut digits = Zeroizing::new([0; DIGITS]);
        let mut count = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            let place = digits.get_mut(count).filter(|_| byte.is_ascii_digit());
            *place.ok_or("A code has six digits.")? = byte;
            count += 1;
        }
        if count == DIGITS { Ok(Self(digits)) } else { Err("A code has six digits.") }
    }
}

impl TotpSecret {
    /// The secret that is made of the first of these bytes; none if there are
    /// too few.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        secret.copy_from_slice(bytes.get(..SECRET_BYTES)?);
        Some(Self(secret))
    }

    /// The secret's bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret in base32 (RFC 4648), to type in.
    #[must_use]
    pub fn base32(&self) -> Secret {
        Secret::from(base32(self.expose(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
    }

    /// What an authenticator reads: issuer, account and secret.
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> Secret {
        let issuer = utf8_percent_encode(issuer, NON_ALPHANUMERIC);
        let account = utf8_percent_encode(account, NON_ALPHANUMERIC);
        Secret::from(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}\
                &algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}",
            self.base32().expose()
        ))
    }

    /// The code of a time step.
    #[must_use]
    pub fn code(&self, step: i64) -> TotpCode {
        let mut digits = Zeroizing::new([b'0'; DIGITS]);
        let mut rest = self.truncated(step);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        TotpCode(digits)
    }

    /// The time steps about `now` that a code fits; nearly always one or none.
    #[must_use]
    pub fn steps(&self, code: &TotpCode, now: DateTime<Utc>) -> Vec<i64> {
        let now = step_at(now);
        let mut fitting = Vec::new();
        for step in now - TOLERANCE..=now + TOLERANCE {
            let expected = self.code(step).0;
            if constant_time::verify_slices_are_equal(expected.as_slice(), code.0.as_slice())
                .is_ok()
            {
                fitting.push(step);
            }
        }
        fitting
    }

    /// RFC 4226, section 5.3, before it is cut to digits.
    fn truncated(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = bytes.last().map_or(0, |last| usize::from(last & 0xf));
        let window = bytes[offset..].first_chunk::<4>();
        window.map_or(0, |window| u32::from_be_bytes(*window) & 0x7fff_ffff)
    }
}

/// The time step that `now` is in.
#[must_use]
pub fn step_at(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(STEP_SECONDS)
}

/// A text as a QR code: an SVG document without styles or scripts, black on
/// white in any theme. None if the text is too long for one.
#[must_use]
pub fn qr_svg(text: &str) -> Option<Secret> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
            shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" \
            fill=\"#fff\"/><path fill=\"#000\" d=\""
    );
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = QUIET_ZONE;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let (y, length) = (y + QUIET_ZONE, run.len());
                // Writing to a String cannot fail.
                let _ = write!(svg, "M{x} {y}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    svg.push_str("\"/></svg>");
    Some(Secret::from(svg))
}

/// Bytes in an alphabet of 32 characters, five bits each, without padding.
pub(crate) fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let bits = bits << (8 * (5 - chunk.len()));
        for n in 0..(chunk.len() * 8).div_ceil(5) {
            text.push(char::from(alphabet[(bits >> (35 - 5 * n) & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(bytes: &[u8]) -> TotpSecret {
        TotpSecret::of(bytes).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238, appendix B, the column of SHA-1; RFC 4226, appendix D.
    #[test]
    fn the_codes_are_those_of_the_standards() {
        let secret = secret(b"12345678901234567890");
        for (time, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            let step = step_at(at(time));
            assert_eq!(secret.truncated(step) % 100_000_000, code, "{time}");
            let six = format!("{:06}", code % 1_000_000);
            assert_eq!(secret.code(step).0.as_slice(), six.as_bytes());
        }
        let counted = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922];
        for (step, code) in (0..).zip(counted) {
            assert_eq!(secret.truncated(step) % 1_000_000, code);
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_no_more() {
        let secret = secret(&[7; 20]);
        let now = at(1_800_000_010);
        for off in -3..=3 {
            let step = step_at(now) + off;
            let fitting = secret.steps(&secret.code(step), now);
            let expected = if off.abs() <= 1 { vec![step] } else { vec![] };
            assert_eq!(fitting, expected, "{off}");
        }
    }

    #[test]
    fn a_code_is_six_digits_however_they_are_typed() {
        for good in ["123456", "123 456", " 123-456 "] {
            assert_eq!(TotpCode::parse(good).unwrap().0.as_slice(), b"123456");
        }
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "+12345"] {
            assert!(TotpCode::parse(bad).is_err(), "{bad}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base32_is_that_of_the_standard() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes(), alphabet), text);
        }
    }

    #[test]
    fn names_cannot_leave_their_place_in_the_uri() {
        let secret = secret(b"12345678901234567890");
        let uri = secret.uri("Duet & Co: ü", "a+b?secret=x&y%41#@example.org");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Duet%20%26%20Co%3A%20%C3%BC:\
                a%2Bb%3Fsecret%3Dx%26y%2541%23%40example%2Eorg\
                ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Duet%20%26%20Co%3A%20%C3%BC\
                &algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn a_qr_code_is_a_picture_of_every_module() {
        let text = "otpauth://totp/Duet:ada";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let svg = qr_svg(text).unwrap();
        let svg = svg.expose();
        let side = code.width() + 8;
        assert!(svg.contains(&format!("viewBox=\"0 0 {side} {side}\"")) && svg.ends_with("</svg>"));
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let drawn: usize = path
            .split('M')
            .skip(1)
            .map(|run| run.split(['h', 'v']).nth(1).unwrap().parse::<usize>().unwrap())
            .sum();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        assert_eq!(drawn, dark);
        assert!(qr_svg(&"x".repeat(5000)).is_none());
    }
}
