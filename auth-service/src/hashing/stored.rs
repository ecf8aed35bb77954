//! Stored hashes, our own and those of other systems: taken apart, and found to
//! be of a kind that is known and to cost no more than may be.
//!
//! Invariant: nothing is computed from a stored hash that did not come through
//! here, so that none decides by itself how long a thread is busy.

use argon2::{
    Algorithm, Params, Version,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use bcrypt::HashParts;

use super::{MOST, Parameters};

/// The longest text that is looked at, in bytes.
const MAX_BYTES: usize = 512;
/// The cheapest argon2 there is.
const CHEAPEST: Parameters = Parameters { memory_kib: 8, passes: 1, lanes: 1 };
/// The kinds of argon2 that are checked; argon2d is open to side channels.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Argon2id, Algorithm::Argon2i];
/// The prefixes of bcrypt that mean the same.
const BCRYPT: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
/// The least and the most that bcrypt may cost, as powers of two.
const BCRYPT_COST: std::ops::RangeInclusive<u32> = 4..=12;
/// The most memory that a hash of another system may take, in KiB.
const IMPORTED_KIB: u32 = 64 * 1024;
/// The most that one may cost, in KiB × passes: what RFC 9106 recommends where
/// memory is short, about five times what our own cost by default.
const IMPORTED_COST: u32 = 3 * IMPORTED_KIB;

/// A stored hash.
pub(super) enum Stored {
    /// argon2 in the PHC form.
    Argon2(Box<Argon2Hash>),
    /// bcrypt, which looks at the first 72 bytes of a password.
    Bcrypt,
}

/// A hash of argon2.
pub(super) struct Argon2Hash {
    /// Which argon2.
    pub(super) algorithm: Algorithm,
    /// What it costs.
    pub(super) parameters: Parameters,
    /// The same, for the library.
    pub(super) params: Params,
    /// What went in beside the password.
    pub(super) salt: Salt,
    /// What came out.
    pub(super) output: Output,
}

impl Stored {
    /// Takes a stored hash apart.
    ///
    /// # Errors
    /// In words for whoever imports it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err("A hash has at most 512 characters.".to_owned());
        }
        if BCRYPT.iter().any(|prefix| text.starts_with(prefix)) {
            return Self::bcrypt(text);
        }
        Self::argon2(text).ok_or_else(|| {
            format!(
                "A hash is bcrypt ($2a$, $2b$, $2y$), or argon2id or argon2i of version 19 in the \
                 PHC form, with at most m={}, t={} and p={}.",
                MOST.memory_kib, MOST.passes, MOST.lanes
            )
        })
    }

    /// The same for a hash that another system made.
    ///
    /// # Errors
    /// As `read`.
    pub(super) fn imported(text: &str) -> Result<Self, String> {
        match Self::read(text)? {
            Self::Argon2(hash) if !hash.parameters.are_modest() => Err(format!(
                "An imported argon2 takes at most m={IMPORTED_KIB}, and m × t is at most \
                 {IMPORTED_COST}."
            )),
            known => Ok(known),
        }
    }

    fn bcrypt(text: &str) -> Result<Self, String> {
        let digits =
            text.as_bytes().get(4..6).is_some_and(|cost| cost.iter().all(u8::is_ascii_digit));
        match text.parse::<HashParts>() {
            Ok(parts) if !digits || !BCRYPT_COST.contains(&parts.get_cost()) => {
                Err("The cost of bcrypt is between 4 and 12.".to_owned())
            }
            Ok(_) => Ok(Self::Bcrypt),
            Err(_) => Err("This is no hash of bcrypt.".to_owned()),
        }
    }

    fn argon2(text: &str) -> Option<Self> {
        let phc = PasswordHash::new(text).ok()?;
        let algorithm = ALGORITHMS.into_iter().find(|known| known.ident() == phc.algorithm)?;
        let params = Params::try_from(&phc).ok()?;
        let parameters = Parameters {
            memory_kib: params.m_cost(),
            passes: params.t_cost(),
            lanes: params.p_cost(),
        };
        // What was hashed with a key or data of another system cannot be checked.
        let plain = params.keyid().is_empty() && params.data().is_empty();
        let good = plain
            && phc.version == Some(Version::V0x13.into())
            && parameters.within(&CHEAPEST, &MOST);
        let (salt, output) = (phc.salt?, phc.hash?);
        let hash = Argon2Hash { algorithm, parameters, params, salt, output };
        good.then(|| Self::Argon2(Box::new(hash)))
    }
}

impl Parameters {
    /// Whether a hash of another system may cost this.
    fn are_modest(&self) -> bool {
        let cost = self.memory_kib.checked_mul(self.passes);
        self.memory_kib <= IMPORTED_KIB && cost.is_some_and(|cost| cost <= IMPORTED_COST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the library's own tests of PHP's `password_hash`.
    const PHP: &str = "$2y$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u";
    const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn hashes_of_known_kinds_within_bounds_are_taken() {
        for good in [
            PHP.to_owned(),
            PHP.replace("2y", "2a"),
            PHP.replace("2y", "2b"),
            PHP.replace("$12$", "$10$"),
            PHP.replace("$12$", "$04$"),
            ARGON2.to_owned(),
            ARGON2.replace("argon2id", "argon2i"),
            ARGON2.replace("m=19456,t=2,p=1", "m=262144,t=10,p=4"),
        ] {
            assert!(Stored::read(&good).is_ok(), "{good}");
        }
    }

    /// RFC 9106, section 4, and OWASP's list; and nothing that keeps a thread busy.
    #[test]
    fn what_is_imported_costs_a_few_times_as_much_as_ours() {
        let asks = |cost: &str| ARGON2.replace("m=19456,t=2,p=1", cost);
        for good in ["m=65536,t=3,p=4", "m=19456,t=10,p=1", "m=47104,t=1,p=1", "m=65536,t=2,p=1"] {
            assert!(Stored::imported(&asks(good)).is_ok(), "{good}");
        }
        for bad in ["m=65537,t=1,p=1", "m=65536,t=4,p=1", "m=262144,t=10,p=4", "m=262144,t=1,p=1"] {
            assert!(Stored::imported(&asks(bad)).is_err(), "{bad}");
            assert!(Stored::read(&asks(bad)).is_ok(), "our own may be configured: {bad}");
        }
        assert!(Stored::imported(PHP).is_ok());
    }

    #[test]
    fn everything_else_is_not() {
        for bad in [
            String::new(),
            "hunter2".to_owned(),
            "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0".to_owned(),
            PHP.replace("2y", "2x"),
            PHP.replace("$12$", "$13$"),
            PHP.replace("$12$", "$31$"),
            PHP.replace("$12$", "$03$"),
            PHP.replace("$12$", "$+5$"),
            PHP.replace("$12$", "$99$"),
            PHP[..59].to_owned(),
            format!("{PHP}."),
            PHP.replace('L', "ü"),
            "$2y$".to_owned(),
            "$2y$1".to_owned(),
            ARGON2.replace("argon2id", "argon2d"),
            ARGON2.replace("argon2id", "scrypt"),
            ARGON2.replace("v=19", "v=16"),
            ARGON2.replace("$v=19", ""),
            ARGON2.replace("m=19456", "m=262145"),
            ARGON2.replace("m=19456", "m=4294967295"),
            ARGON2.replace("m=19456", "m=99999999999"),
            ARGON2.replace("m=19456", "m=7"),
            ARGON2.replace("t=2", "t=11"),
            ARGON2.replace("t=2", "t=0"),
            ARGON2.replace("p=1", "p=5"),
            ARGON2.replace("p=1", "p=1,keyid=AAAA"),
            ARGON2.rsplit_once('$').unwrap().0.to_owned(),
            format!("{ARGON2}{}", "A".repeat(500)),
        ] {
            assert!(Stored::read(&bad).is_err(), "{bad}");
        }
    }
}
