//! The passes by which services know this device: one for each service and
//! account, in a JSON file of mode 0600 beside the credentials. With one, wrong
//! passwords of others do not delay a sign-in.
//!
//! Invariants: a pass goes only to the service that gave it, with the e-mail
//! address it was given for. It signs nobody in, so whatever is wrong with the
//! file keeps nobody from it: the device is a stranger then, as at first.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use tonic::transport::Uri;

use super::{
    credentials::{Credentials, Lock},
    failure::Failure,
    private_file::PrivateFile,
};

/// More accounts than anybody has. Beyond, the one that was used longest ago goes.
const MOST: usize = 100;

/// The file that holds passes.
#[derive(Clone, Debug)]
pub(crate) struct Passes {
    file: PrivateFile,
}

/// What makes this device known to one service, for one account.
#[derive(Clone, Debug)]
struct Pass {
    auth_url: Uri,
    user: String,
    email: String,
    token: Secret,
}

impl Pass {
    /// Whether it is for this e-mail address; as for the service, case is no
    /// difference.
    fn is_for(&self, auth_url: &Uri, email: &str) -> bool {
        let canonical = |email: &str| email.trim_matches(' ').to_lowercase();
        self.auth_url == *auth_url && canonical(&self.email) == canonical(email)
    }

    /// Whether it is of the account that these credentials are of, also if its
    /// address was another one then.
    fn is_of(&self, credentials: &Credentials) -> bool {
        let Credentials { auth_url, user, email, .. } = credentials;
        (self.auth_url == *auth_url && self.user == *user) || self.is_for(auth_url, email)
    }
}

impl Passes {
    /// The passes in the file at `path`.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { file: PrivateFile::at(path) }
    }

    /// The pass that a sign-in with this e-mail address brings along.
    pub(crate) fn find(&self, auth_url: &Uri, email: &str) -> Option<Secret> {
        let mut passes = self.read().into_iter();
        passes.find(|pass| pass.is_for(auth_url, email)).map(|pass| pass.token)
    }

    /// Keeps a pass in place of all earlier ones of the account. Not every answer
    /// brings one.
    pub(crate) fn keep(
        &self,
        credentials: &Credentials,
        token: Secret,
        _lock: &Lock,
    ) -> Result<(), Failure> {
        if token.expose().is_empty() {
            return Ok(());
        }
        let Credentials { auth_url, user, email, .. } = credentials.clone();
        let mut passes = self.read();
        passes.retain(|pass| !pass.is_of(credentials));
        passes.push(Pass { auth_url, user, email, token });
        passes.drain(..passes.len().saturating_sub(MOST));
        self.write(&passes)
    }

    /// Forgets the passes of the account.
    pub(crate) fn forget(&self, credentials: &Credentials, _lock: &Lock) -> Result<(), Failure> {
        let mut passes = self.read();
        let before = passes.len();
        passes.retain(|pass| !pass.is_of(credentials));
        if passes.is_empty() {
            self.file.remove()
        } else if passes.len() < before {
            self.write(&passes)
        } else {
            Ok(())
        }
    }

    /// The passes, the one that was used longest ago first.
    fn read(&self) -> Vec<Pass> {
        let text = self.file.read().unwrap_or_default();
        let stored: Vec<Stored> = serde_json::from_str(&text).unwrap_or_default();
        stored.into_iter().filter_map(Stored::parse).collect()
    }

    fn write(&self, passes: &[Pass]) -> Result<(), Failure> {
        let stored: Vec<_> = passes.iter().map(Stored::from).collect();
        self.file.replace(&stored)
    }
}

/// A pass as it lies in the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    auth_url: String,
    user: String,
    email: String,
    device_token: String,
}

impl Stored {
    fn parse(self) -> Option<Pass> {
        let Self { auth_url, user, email, device_token } = self;
        Some(Pass { auth_url: auth_url.parse().ok()?, user, email, token: device_token.into() })
    }
}

impl From<&Pass> for Stored {
    fn from(pass: &Pass) -> Self {
        let Pass { auth_url, user, email, token } = pass;
        Self {
            auth_url: auth_url.to_string(),
            user: user.clone(),
            email: email.clone(),
            device_token: token.expose().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::auth::v1 as auth;

    use super::*;
    use crate::client::credentials::Store;

    fn of(user: &str, email: &str) -> Credentials {
        let url = Uri::from_static("http://127.0.0.1:50051/");
        let user = auth::User {
            name: format!("users/{user}"),
            email: email.to_owned(),
            ..auth::User::default()
        };
        Credentials::new(url.clone(), url, &user, auth::Credentials::default())
    }

    fn pass(number: usize) -> Secret {
        Secret::from(format!("canary-{number}"))
    }

    #[tokio::test]
    async fn an_account_has_one_pass_whatever_its_address_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("duet.json"))).unwrap();
        let (lock, passes) = (store.lock().await.unwrap(), store.passes());
        let found = |credentials: &Credentials| {
            let found = passes.find(&credentials.auth_url, &credentials.email);
            found.map(|pass| pass.expose().to_owned())
        };
        let (before, after) = (of("u", "ada@example.com"), of("u", "ada@example.org"));
        passes.keep(&before, pass(1), &lock).unwrap();
        passes.keep(&after, pass(2), &lock).unwrap();
        assert_eq!((found(&before), found(&after)), (None, Some("canary-2".to_owned())));
        // An answer without one takes none away.
        passes.keep(&after, String::new().into(), &lock).unwrap();
        assert_eq!(found(&after), Some("canary-2".to_owned()));
        assert!(!format!("{passes:?} {:?}", passes.read()).contains("canary"));
        passes.forget(&after, &lock).unwrap();
        passes.forget(&after, &lock).unwrap();
        assert_eq!(found(&after), None);
    }

    #[tokio::test]
    async fn the_account_that_was_used_longest_ago_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("duet.json"))).unwrap();
        let (lock, passes) = (store.lock().await.unwrap(), store.passes());
        let one = |number| of(&format!("u{number}"), &format!("ada{number}@example.com"));
        for number in 0..MOST {
            passes.keep(&one(number), pass(number), &lock).unwrap();
        }
        passes.keep(&one(0), pass(MOST), &lock).unwrap();
        passes.keep(&one(MOST), pass(MOST), &lock).unwrap();
        assert_eq!(passes.read().len(), MOST);
        let known = [0, 1, 2, MOST].map(|number| {
            let Credentials { auth_url, email, .. } = one(number);
            passes.find(&auth_url, &email).is_some()
        });
        assert_eq!(known, [true, false, true, true]);
    }
}
