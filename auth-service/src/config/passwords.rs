//! The settings of passwords: which are accepted, and how they are hashed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shared::{config, secret::Secret};

use crate::{
    hashing::{Hashing, Parameters, Pepper},
    password::Rules,
};

/// Which passwords are accepted, and how they are hashed.
#[derive(Clone, Debug, Args)]
pub struct Passwords {
    /// Which passwords are accepted.
    #[arg(long, env = "AUTH_PASSWORD_PROFILE", default_value = "standard")]
    pub password_profile: PasswordProfile,
    /// The least strength, 0 to 4, by zxcvbn; 0 accepts all.
    #[arg(long, env = "AUTH_PASSWORD_MIN_SCORE", default_value_t = 2)]
    pub password_min_score: u8,
    /// Memory of Argon2id in KiB.
    #[arg(long, env = "AUTH_ARGON2_MEMORY", default_value_t = 19_456)]
    pub argon2_memory: u32,
    /// Passes of Argon2id.
    #[arg(long, env = "AUTH_ARGON2_PASSES", default_value_t = 2)]
    pub argon2_passes: u32,
    /// Lanes of Argon2id.
    #[arg(long, env = "AUTH_ARGON2_LANES", default_value_t = 1)]
    pub argon2_lanes: u32,
    /// Threads that hash; by default as many as there are processors.
    #[arg(long, env = "AUTH_HASHING_THREADS")]
    pub hashing_threads: Option<usize>,
    /// Passwords that may wait to be hashed; more are refused.
    #[arg(long, env = "AUTH_HASHING_QUEUE", default_value_t = 128)]
    pub hashing_queue: usize,
    /// A secret that goes into every new hash: 32 bytes in base64.
    #[arg(long, env = "AUTH_PEPPER", hide_env_values = true)]
    pub pepper: Option<Secret>,
    /// File with the pepper.
    #[arg(long, env = "AUTH_PEPPER_FILE")]
    pub pepper_file: Option<PathBuf>,
    /// The pepper's name, stored beside each hash.
    #[arg(long, env = "AUTH_PEPPER_ID", default_value = "1")]
    pub pepper_id: String,
}

/// Which passwords are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PasswordProfile {
    /// 8 characters or more.
    Standard,
    /// 15 characters or more, as NIST SP 800-63B wants it without a second factor.
    Nist,
}

impl Passwords {
    /// What is wrong with them, but for what `hashing` tells.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.password_min_score > 4 {
            faults.push("AUTH_PASSWORD_MIN_SCORE must be between 0 and 4".to_owned());
        }
        if self.hashing_queue == 0 {
            faults.push("AUTH_HASHING_QUEUE must not be 0".to_owned());
        }
        if self.pepper_id.is_empty() {
            faults.push("AUTH_PEPPER_ID must not be empty".to_owned());
        }
        faults
    }

    /// How passwords are hashed.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn hashing(&self) -> Result<Hashing, String> {
        let file = self.pepper_file.as_deref();
        let key = config::key("AUTH_PEPPER", self.pepper.as_ref(), file)?;
        let pepper = key.map(|key| Pepper { id: self.pepper_id.clone(), key });
        let parameters = Parameters {
            memory_kib: self.argon2_memory,
            passes: self.argon2_passes,
            lanes: self.argon2_lanes,
        };
        Hashing::new(parameters, pepper).map_err(|fault| format!("AUTH_ARGON2_…: {fault}"))
    }

    /// What new passwords must be like.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        let min_characters = match self.password_profile {
            PasswordProfile::Standard => 8,
            PasswordProfile::Nist => 15,
        };
        Rules { min_characters, min_score: self.password_min_score }
    }
}
