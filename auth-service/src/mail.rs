//! Mail: what the service has to say to people, from the draft that goes into
//! the outbox with a change to the message that leaves.
//!
//! Invariant: a token is in clear only in the message itself. The outbox has it
//! sealed to the mail's id, and `data.mail_tokens` has its hash.

mod letter;
mod message;
pub mod outbox;
pub mod pause;
pub mod post;
pub mod sender;
mod template;
pub mod token;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::rng;
use tokio::sync::Notify;
use uuid::Uuid;
use zeroize::Zeroizing;

use self::{
    pause::Pause,
    token::{MailToken, Purpose},
};
use crate::sealing::Sealer;

/// How long a mail without a token is worth sending.
const NOTICE_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What a mail says. Its name and its fields are what the outbox stores.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "parameters", rename_all = "kebab-case")]
pub enum Mail {
    /// Please verify the address of your account.
    Verify {
        /// Of `Purpose::Verify`.
        token: Sealed,
    },
    /// Please verify your address; then there is an account.
    SignUp {
        /// Of `Purpose::SignUp`.
        token: Sealed,
    },
    /// Somebody signed up with an address that has an account.
    AddressTaken {},
    /// Set a new password.
    Reset {
        /// Of `Purpose::Reset`.
        token: Sealed,
    },
    /// Your password was changed.
    PasswordChanged {
        /// What it was changed with; empty if that is not known.
        device: String,
    },
    /// A second factor was added to your account.
    FactorAdded {
        /// What it was added with; empty if that is not known.
        device: String,
    },
    /// A second factor of your account was removed.
    FactorRemoved {
        /// What it was removed with; empty if that is not known.
        device: String,
    },
    /// Your account has new recovery codes.
    RecoveryCodesMade {
        /// What they were made with; empty if that is not known.
        device: String,
    },
    /// Do you agree that your account gets another address?
    ChangeOld {
        /// Of `Purpose::ChangeOld`.
        token: Sealed,
        /// The other address.
        new_email: String,
    },
    /// Do you agree that an account gets this address?
    ChangeNew {
        /// Of `Purpose::ChangeNew`.
        token: Sealed,
    },
    /// Your account has another address now.
    EmailChanged {},
    /// Your account was deleted.
    DeletionReceipt {
        /// With which to ask how far the deletion has come.
        token: Sealed,
    },
}

/// A secret that only the mail it was sealed for can open, in base64.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sealed(String);

/// A mail as it goes into the outbox, in the statement that gives the occasion.
#[derive(Clone, Debug)]
pub struct Draft {
    id: Uuid,
    mail: Mail,
    issues: Option<Issued>,
    pauses: Vec<Pause>,
    give_up_at: DateTime<Utc>,
}

/// The token that a mail brings into the world.
#[derive(Clone, Debug)]
struct Issued {
    purpose: Purpose,
    hash: [u8; 32],
    expires_at: DateTime<Utc>,
}

/// Where drafts are made, and the sender is told of them.
#[derive(Clone)]
pub struct Outbox {
    sealer: Arc<Sealer>,
    filled: Arc<Notify>,
}

impl Mail {
    /// The kind, as the outbox and the log name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Verify { .. } => "verify",
            Self::SignUp { .. } => "sign-up",
            Self::AddressTaken {} => "address-taken",
            Self::Reset { .. } => "reset",
            Self::PasswordChanged { .. } => "password-changed",
            Self::FactorAdded { .. } => "factor-added",
            Self::FactorRemoved { .. } => "factor-removed",
            Self::RecoveryCodesMade { .. } => "recovery-codes-made",
            Self::ChangeOld { .. } => "change-old",
            Self::ChangeNew { .. } => "change-new",
            Self::EmailChanged {} => "email-changed",
            Self::DeletionReceipt { .. } => "deletion-receipt",
        }
    }
}

impl Outbox {
    /// An outbox whose secrets `sealer` seals.
    #[must_use]
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, filled: Arc::default() }
    }

    /// A mail without a secret.
    #[must_use]
    pub fn notice(&self, now: DateTime<Utc>, mail: Mail) -> Draft {
        Draft::notice(now, mail)
    }

    /// A mail with a secret in it.
    #[must_use]
    pub fn with_secret(
        &self,
        now: DateTime<Utc>,
        secret: &[u8],
        mail: impl FnOnce(Sealed) -> Mail,
    ) -> Draft {
        let id = rng::uuid_v7(now);
        let sealed = self.sealer.seal(&label(id), secret);
        let mail = mail(Sealed(STANDARD.encode(sealed)));
        Draft::of(id, mail, now)
    }

    /// A mail with a new token for `purpose`; it is sent for as long as that is
    /// good.
    #[must_use]
    pub fn with_token(
        &self,
        now: DateTime<Utc>,
        purpose: Purpose,
        mail: impl FnOnce(Sealed) -> Mail,
    ) -> Draft {
        let secret = Zeroizing::new(rng::bytes());
        let expires_at = now + purpose.lifetime();
        Draft {
            issues: Some(Issued { purpose, hash: token::hash(&secret), expires_at }),
            give_up_at: expires_at,
            ..self.with_secret(now, secret.as_slice(), mail)
        }
    }

    /// Has the sender look for what was put in just now.
    pub fn filled(&self) {
        self.filled.notify_one();
    }

    /// Ends when something was put in since the last time.
    pub(crate) async fn wait(&self) {
        self.filled.notified().await;
    }

    /// The secret of the mail `id`, unless it was sealed for another one.
    fn open(&self, id: Uuid, Sealed(sealed): &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open(&label(id), &STANDARD.decode(sealed).ok()?)
    }

    /// The token of the mail `id` about `user`.
    fn open_token(
        &self,
        id: Uuid,
        user: Uuid,
        purpose: Purpose,
        sealed: &Sealed,
    ) -> Option<MailToken> {
        let secret = self.open(id, sealed)?.as_slice().try_into().ok()?;
        Some(MailToken { purpose, user, secret: Zeroizing::new(secret) })
    }
}

impl Draft {
    /// A mail without a secret.
    #[must_use]
    pub fn notice(now: DateTime<Utc>, mail: Mail) -> Self {
        Self::of(rng::uuid_v7(now), mail, now)
    }

    fn of(id: Uuid, mail: Mail, now: DateTime<Utc>) -> Self {
        let give_up_at = now + NOTICE_LIFETIME;
        Self { id, mail, issues: None, pauses: Vec::new(), give_up_at }
    }

    /// The same mail, which is not sent before these pauses are over.
    #[must_use]
    pub fn after(self, pauses: Vec<Pause>) -> Self {
        Self { pauses, ..self }
    }

    /// What `data.send_mail`, `data.send_notice` and `data.issue_mail_token` read.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut json = json!(self.mail);
        json["id"] = json!(self.id);
        json["give_up_at"] = json!(self.give_up_at);
        json["pauses"] = self.pauses.iter().map(Pause::json).collect();
        if let Some(Issued { purpose, hash, expires_at }) = &self.issues {
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            json["token"] =
                json!({ "kind": purpose.as_str(), "hash": hash, "expires_at": expires_at });
        }
        json
    }
}

fn label(id: Uuid) -> String {
    format!("mail {id}")
}

#[cfg(test)]
mod tests {
    use shared::secret::Key;

    use super::*;

    /// One mail of each kind, sealed by `outbox`.
    pub(super) fn one_of_each(outbox: &Outbox, now: DateTime<Utc>) -> Vec<Draft> {
        let device = || "Firefox on Linux".to_owned();
        let new_email = "lovelace@example.org".to_owned();
        let with_token = |purpose, mail: fn(Sealed) -> Mail| outbox.with_token(now, purpose, mail);
        vec![
            with_token(Purpose::Verify, |token| Mail::Verify { token }),
            with_token(Purpose::SignUp, |token| Mail::SignUp { token }),
            with_token(Purpose::Reset, |token| Mail::Reset { token }),
            with_token(Purpose::ChangeNew, |token| Mail::ChangeNew { token }),
            outbox
                .with_token(now, Purpose::ChangeOld, |token| Mail::ChangeOld { token, new_email }),
            outbox.with_secret(now, b"dr_receipt", |token| Mail::DeletionReceipt { token }),
            outbox.notice(now, Mail::AddressTaken {}),
            outbox.notice(now, Mail::PasswordChanged { device: device() }),
            outbox.notice(now, Mail::FactorAdded { device: device() }),
            outbox.notice(now, Mail::FactorRemoved { device: device() }),
            outbox.notice(now, Mail::RecoveryCodesMade { device: device() }),
            outbox.notice(now, Mail::EmailChanged {}),
        ]
    }

    #[test]
    fn a_draft_has_its_token_sealed_to_it_and_hashed() {
        let outbox = Outbox::new(Arc::new(Sealer::new(&Key::random(), None)));
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let draft = outbox.with_token(now, Purpose::Reset, |token| Mail::Reset { token });
        let json = draft.json();
        assert_eq!(json["kind"], "reset");
        assert_eq!(json["token"]["kind"], "reset");
        let Mail::Reset { token: sealed } = &draft.mail else { unreachable!() };
        let user = Uuid::from_u128(7);
        let token = outbox.open_token(draft.id, user, Purpose::Reset, sealed).unwrap();
        assert_eq!(token.hash(), draft.issues.unwrap().hash);
        let text = json.to_string();
        assert!(!text.contains(&STANDARD.encode(token.secret.as_slice())), "{text}");
        assert!(outbox.open(rng::uuid_v7(now), sealed).is_none());
    }

    /// What is stored today is read tomorrow: the names are a format.
    #[test]
    fn every_kind_is_called_as_it_is_stored() {
        let outbox = Outbox::new(Arc::new(Sealer::new(&Key::random(), None)));
        for Draft { mail, .. } in one_of_each(&outbox, DateTime::UNIX_EPOCH) {
            let json = json!(mail);
            assert_eq!(json["kind"], mail.kind());
            assert!(json["parameters"].is_object(), "{json}");
            assert_eq!(serde_json::from_value::<Mail>(json).unwrap().kind(), mail.kind());
        }
    }
}
