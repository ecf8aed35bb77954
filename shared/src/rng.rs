//! Randomness. Everything random comes from here, and here it comes from the
//! operating system through aws-lc.

use std::cell::RefCell;

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

/// How many identifiers a thread's supply is good for.
const SUPPLY: usize = 64;

thread_local! {
    /// Random bytes, and how many identifiers' worth of them is left.
    static LEFT: RefCell<([[u8; 16]; SUPPLY], usize)> =
        const { RefCell::new(([[0; 16]; SUPPLY], 0)) };
}

/// `N` bytes that nobody can guess.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A random identifier (RFC 9562, version 4).
#[must_use]
pub fn uuid_v4() -> Uuid {
    Builder::from_random_bytes(bytes()).into_uuid()
}

/// A random identifier for what must be unique and is no secret. Made from a
/// supply that each thread draws at once, since asking costs more than the bytes.
#[must_use]
pub fn public_uuid_v4() -> Uuid {
    let random = LEFT.with_borrow_mut(|(supply, left)| {
        if *left == 0 {
            fill(supply.as_flattened_mut());
            *left = SUPPLY;
        }
        *left -= 1;
        supply[*left]
    });
    Builder::from_random_bytes(random).into_uuid()
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

#[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
#[expect(clippy::expect_used, reason = "without randomness nothing may go on")]
fn fill(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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

    /// Neither within a thread, over several supplies, nor between threads.
    #[test]
    fn no_identifier_is_given_twice() {
        let draw = || (0..5 * SUPPLY).map(|_| public_uuid_v4()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        let made = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let distinct: HashSet<Uuid> = made.collect();
        assert_eq!(distinct.len(), 4 * 5 * SUPPLY);
        assert!(distinct.iter().all(|id| id.get_version_num() == 4));
    }
}
