//! Argon2id (RFC 9106) with parameters within bounds, PHC strings, and an
//! optional pepper. A stored hash says what it costs to check; what it may say
//! is bounded (`stored`), since it decides how long a thread is busy.
//!
//! Hashes of other systems are checked as they are until they are seen for the
//! first time; so long they may take another time to check than ours, which is
//! why what is imported may cost a few times as much as ours and no more.

mod stored;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use aws_lc_rs::constant_time;
use shared::{memory::in_huge_pages, rng, secret::Key};

use self::stored::{Argon2Hash, Stored};
pub use argon2::Block;

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;
/// The most that the configuration, and so a stored hash, may ask for: KiB,
/// passes, lanes.
const MOST: Parameters = Parameters { memory_kib: 256 * 1024, passes: 10, lanes: 4 };
/// The least that the configuration may ask for (OWASP's least is 7 MiB).
const LEAST: Parameters = Parameters { memory_kib: 7 * 1024, passes: 1, lanes: 1 };

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Parameters {
    /// Whether every part is within these bounds.
    fn within(&self, least: &Self, most: &Self) -> bool {
        (least.memory_kib..=most.memory_kib).contains(&self.memory_kib)
            && (least.passes..=most.passes).contains(&self.passes)
            && (least.lanes..=most.lanes).contains(&self.lanes)
    }

    /// The cheapest that is allowed.
    #[cfg(test)]
    pub(crate) const fn for_tests() -> Self {
        LEAST
    }
}

/// A secret that goes into every hash and is not in the database.
#[derive(Clone, Debug)]
pub struct Pepper {
    /// Its name, stored beside each hash.
    pub id: String,
    /// The secret.
    pub key: Key,
}

/// A password as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// The PHC string.
    pub phc: String,
    /// Which pepper went into it; empty for none.
    pub pepper_id: String,
}

/// Makes and checks hashes.
pub struct Hashing {
    parameters: Parameters,
    params: Params,
    pepper: Option<Pepper>,
    computed: Arc<AtomicU64>,
}

/// Looks at a hash of another system: whether it is one that `Hashing` checks.
///
/// # Errors
/// In words for whoever imports it.
pub fn check_imported(hash: &str) -> Result<(), String> {
    Stored::imported(hash).map(|_| ())
}

impl Hashing {
    /// Hashes with these parameters.
    ///
    /// # Errors
    /// In words for the operator, if they are out of bounds.
    pub fn new(parameters: Parameters, pepper: Option<Pepper>) -> Result<Self, String> {
        let Parameters { memory_kib, passes, lanes } = parameters;
        if !parameters.within(&LEAST, &MOST) {
            return Err(format!(
                "Argon2 takes {}–{} KiB of memory, {}–{} passes and {}–{} lanes",
                LEAST.memory_kib,
                MOST.memory_kib,
                LEAST.passes,
                MOST.passes,
                LEAST.lanes,
                MOST.lanes
            ));
        }
        let params = Params::new(memory_kib, passes, lanes, Some(OUTPUT_BYTES))
            .map_err(|error| error.to_string())?;
        Ok(Self { parameters, params, pepper, computed: Arc::default() })
    }

    /// How many hashes were computed, be it to make or to check one.
    #[must_use]
    pub fn computed(&self) -> Arc<AtomicU64> {
        self.computed.clone()
    }

    /// Hashes a password, in `memory`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the parameters were checked")]
    pub fn hash(&self, password: &str, memory: &mut Vec<Block>) -> StoredPassword {
        let salt = rng::bytes();
        let mut output = [0; OUTPUT_BYTES];
        self.argon2(Algorithm::Argon2id, self.params.clone(), self.pepper_id())
            .and_then(|argon2| self.compute(&argon2, password, &salt, &mut output, memory))
            .expect("every length is one that Argon2 allows");
        self.stored(&salt, &output)
    }

    /// What nobody's password hashes to. It is random and the hash of nothing,
    /// so it costs nothing to make and as much as any other to check.
    #[must_use]
    pub fn nobodys(&self) -> StoredPassword {
        self.stored(&rng::bytes(), &rng::bytes())
    }

    #[expect(clippy::expect_used, reason = "the lengths are fixed, the parameters were checked")]
    fn stored(&self, salt: &[u8; SALT_BYTES], output: &[u8; OUTPUT_BYTES]) -> StoredPassword {
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).expect("parameters were checked"),
            salt: Some(Salt::new(salt).expect("16 bytes")),
            hash: Some(Output::new(output).expect("32 bytes")),
        };
        StoredPassword { phc: phc.to_string(), pepper_id: self.pepper_id().to_owned() }
    }

    /// Whether `password` is the stored one. A stored hash of no known
    /// kind, or that costs too much, is never right.
    #[must_use]
    pub fn verify(&self, password: &str, stored: &StoredPassword, memory: &mut Vec<Block>) -> bool {
        match Stored::read(&stored.phc) {
            Ok(Stored::Argon2(hash)) => self.is_hashed_to(&hash, password, stored, memory),
            // No pepper is in it, and no more than 72 bytes of the password are.
            Ok(Stored::Bcrypt) => {
                self.computed.fetch_add(1, Ordering::Relaxed);
                bcrypt::verify(password, &stored.phc).unwrap_or(false)
            }
            Err(_) => false,
        }
    }

    fn is_hashed_to(
        &self,
        hash: &Argon2Hash,
        password: &str,
        stored: &StoredPassword,
        memory: &mut Vec<Block>,
    ) -> bool {
        let Argon2Hash { algorithm, params, salt, output, .. } = hash;
        let Some(argon2) = self.argon2(*algorithm, params.clone(), &stored.pepper_id) else {
            // It takes as long as for nobody: time does not tell who has an account.
            let _ = self.verify(password, &self.nobodys(), memory);
            return false;
        };
        let mut computed = vec![0; output.as_bytes().len()];
        self.compute(&argon2, password, salt, &mut computed, memory).is_some_and(|()| {
            constant_time::verify_slices_are_equal(&computed, output.as_bytes()).is_ok()
        })
    }

    /// Whether the hash was made with other parameters or another pepper, or by
    /// another system.
    #[must_use]
    pub fn is_outdated(&self, stored: &StoredPassword) -> bool {
        let ours = matches!(
            Stored::read(&stored.phc),
            Ok(Stored::Argon2(hash))
                if hash.algorithm == Algorithm::Argon2id && hash.parameters == self.parameters
        );
        !ours || stored.pepper_id != self.pepper_id()
    }

    /// The pepper that goes into new hashes; empty for none.
    fn pepper_id(&self) -> &str {
        self.pepper.as_ref().map_or("", |pepper| &pepper.id)
    }

    fn argon2(&self, algorithm: Algorithm, params: Params, pepper_id: &str) -> Option<Argon2<'_>> {
        let version = Version::V0x13;
        match (pepper_id, &self.pepper) {
            ("", _) => Some(Argon2::new(algorithm, version, params)),
            (id, Some(pepper)) if id == pepper.id => {
                Argon2::new_with_secret(pepper.key.expose(), algorithm, version, params).ok()
            }
            _ => {
                tracing::error!(
                    pepper.id = pepper_id,
                    "A password needs a pepper that is not configured."
                );
                None
            }
        }
    }

    fn compute(
        &self,
        argon2: &Argon2<'_>,
        password: &str,
        salt: &[u8],
        output: &mut [u8],
        memory: &mut Vec<Block>,
    ) -> Option<()> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let blocks = argon2.params().block_count();
        if memory.capacity() < blocks {
            in_huge_pages(|| memory.resize(blocks, Block::new()));
        }
        memory.resize(blocks, Block::new());
        argon2
            .hash_password_into_with_memory(password.as_bytes(), salt, output, &mut *memory)
            .ok()?;
        // What one expensive stored hash took is not kept.
        if memory.capacity() > self.params.block_count() {
            *memory = Vec::new();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper(id: &str) -> Option<Pepper> {
        Some(Pepper { id: id.to_owned(), key: Key::random() })
    }

    #[test]
    fn fr_004_a_hash_is_salted_and_checks() {
        let hashing = Hashing::new(Parameters::for_tests(), None).unwrap();
        let mut memory = Vec::new();
        let one = hashing.hash("walnut", &mut memory);
        let two = hashing.hash("walnut", &mut memory);
        assert!(one.phc.starts_with("$argon2id$v=19$m=7168,t=1,p=1$") && one.phc != two.phc);
        assert!(hashing.verify("walnut", &one, &mut memory));
        assert!(!hashing.verify("Walnut", &one, &mut memory));
        assert!(!hashing.is_outdated(&one));
    }

    /// S2.3: what an unknown user is checked against takes the same work as what
    /// a known one is, with the pepper and all, and is never right.
    #[test]
    fn nobodys_password_costs_as_much_as_anybodys() {
        for pepper in [None, pepper("1")] {
            let hashing = Hashing::new(Parameters::for_tests(), pepper).unwrap();
            let (nobodys, anybodys) = (hashing.nobodys(), hashing.hash("walnut", &mut Vec::new()));
            assert!(!hashing.is_outdated(&nobodys));
            assert_eq!(nobodys.phc.len(), anybodys.phc.len());
            let mut memory = Vec::new();
            assert!(!hashing.verify("walnut", &nobodys, &mut memory));
            assert_eq!(memory.len(), hashing.params.block_count(), "it was computed");
        }
    }

    #[test]
    fn a_pepper_goes_in_and_can_be_introduced_later() {
        let mut memory = Vec::new();
        let plain = Hashing::new(Parameters::for_tests(), None).unwrap();
        let peppered = Hashing::new(Parameters::for_tests(), pepper("1")).unwrap();
        let before = plain.hash("walnut", &mut memory);
        assert!(peppered.verify("walnut", &before, &mut memory) && peppered.is_outdated(&before));
        let after = peppered.hash("walnut", &mut memory);
        assert!(peppered.verify("walnut", &after, &mut memory) && !peppered.is_outdated(&after));
        let other = Hashing::new(Parameters::for_tests(), pepper("1")).unwrap();
        assert!(!other.verify("walnut", &after, &mut memory));
        assert!(!plain.verify("walnut", &after, &mut memory));
    }

    /// S2.3: a hash whose pepper is not there costs what nobody's does.
    #[test]
    fn a_hash_without_its_pepper_costs_as_much_as_any() {
        let mut memory = Vec::new();
        let peppered = Hashing::new(Parameters::for_tests(), pepper("1")).unwrap();
        let stored = peppered.hash("walnut", &mut memory);
        for without in [None, pepper("2")] {
            let hashing = Hashing::new(Parameters::for_tests(), without).unwrap();
            assert!(!hashing.verify("walnut", &stored, &mut memory));
            assert_eq!(hashing.computed().load(Ordering::Relaxed), 1);
        }
    }

    #[test]
    fn the_hashes_of_other_systems_are_checked_and_outdated() {
        let hashing = Hashing::new(Parameters::for_tests(), pepper("1")).unwrap();
        let mut memory = Vec::new();
        let bcrypt = bcrypt::hash_with_salt("walnut", 4, *b"sixteen bytes ok").unwrap();
        let params = Params::new(64, 1, 1, Some(32)).unwrap();
        let argon2i = {
            let mut output = [0; 32];
            Argon2::new(Algorithm::Argon2i, Version::V0x13, params)
                .hash_password_into(b"walnut", b"sixteen bytes ok", &mut output)
                .unwrap();
            let (salt, hash) = (Salt::new(b"sixteen bytes ok"), Output::new(&output));
            format!("$argon2i$v=19$m=64,t=1,p=1${}${}", salt.unwrap(), hash.unwrap())
        };
        for phc in [
            bcrypt.format_for_version(bcrypt::Version::TwoA),
            bcrypt.format_for_version(bcrypt::Version::TwoB),
            bcrypt.format_for_version(bcrypt::Version::TwoY),
            argon2i,
        ] {
            check_imported(&phc).unwrap();
            let stored = StoredPassword { phc, pepper_id: String::new() };
            assert!(hashing.verify("walnut", &stored, &mut memory), "{}", stored.phc);
            assert!(!hashing.verify("Walnut", &stored, &mut memory), "{}", stored.phc);
            assert!(hashing.is_outdated(&stored), "{}", stored.phc);
        }
    }

    #[test]
    fn a_stored_hash_cannot_ask_for_too_much_or_be_anything_else() {
        let hashing = Hashing::new(Parameters::for_tests(), None).unwrap();
        let mut memory = Vec::new();
        let good = hashing.hash("walnut", &mut memory).phc;
        for bad in [
            good.replace("m=7168", "m=4000000"),
            good.replace("t=1", "t=4000"),
            good.replace("v=19", "v=16"),
            good.replace("argon2id", "argon2i"),
            "$2b$04$abcdefghijklmnopqrstuuAJ1oFrEhMGTyIKVPkNQvPnZHqgRHnUO".to_owned(),
            String::new(),
        ] {
            let stored = StoredPassword { phc: bad, pepper_id: String::new() };
            assert!(!hashing.verify("walnut", &stored, &mut memory), "{}", stored.phc);
        }
        assert!(Hashing::new(Parameters { memory_kib: 1024, passes: 1, lanes: 1 }, None).is_err());
    }
}
