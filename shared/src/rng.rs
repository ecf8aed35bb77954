//! Randomness. Everything random comes from here, and here it comes from the
//! operating system through aws-lc.

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

/// `N` bytes that nobody can guess.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
#[expect(clippy::expect_used, reason = "without randomness nothing may go on")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A random identifier (RFC 9562, version 4).
#[must_use]
pub fn uuid_v4() -> Uuid {
    Builder::from_random_bytes(bytes()).into_uuid()
}

/// An identifier that sorts by time (RFC 9562, version 7). The 12 bits after
/// the milliseconds hold their fraction (section 6.2, method 3), so that two
/// identifiers made a quarter of a microsecond apart sort as they were made.
#[must_use]
pub fn uuid_v7(now: DateTime<Utc>) -> Uuid {
    let mut random: [u8; 10] = bytes();
    let fraction = u64::from(now.timestamp_subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
    random[0] = (fraction >> 8) as u8;
    random[1] = (fraction & 0xff) as u8;
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn identifiers_sort_as_they_were_made() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let made: Vec<Uuid> =
            (0..10_000).map(|n| uuid_v7(start + TimeDelta::microseconds(n))).collect();
        assert!(made.is_sorted());
        assert_eq!(made[0].get_version_num(), 7);
        assert_eq!(uuid_v4().get_version_num(), 4);
    }
}
