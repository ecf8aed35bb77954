//! What the client remembers between two runs: who is signed in where, and the
//! tokens of that session, in one JSON file of mode 0600.
//!
//! Invariant: who changes the file, or what lies beside it, holds its lock.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::Duration,
};

use chrono::{DateTime, Utc};
use etcetera::BaseStrategy as _;
use prost_types::Timestamp;
use proto::auth::v1 as auth;
use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use tokio::time::{Instant, sleep};
use tonic::{Code, transport::Uri};

use super::{failure::Failure, passes::Passes, private_file::PrivateFile};

/// Longer than another process can need for one refresh.
const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// A session of a user, as the client holds it.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Where the session was opened; its tokens go nowhere else to be renewed.
    pub(crate) auth_url: Uri,
    /// The task service that was named at sign-in.
    pub(crate) task_url: Uri,
    /// Resource name of the user.
    pub(crate) user: String,
    /// Their e-mail address.
    pub(crate) email: String,
    /// Resource name of the session.
    pub(crate) session: String,
    /// The access token.
    pub(crate) access_token: Secret,
    /// When it ends.
    pub(crate) access_token_expire_time: DateTime<Utc>,
    /// The refresh token.
    pub(crate) refresh_token: Secret,
}

impl Credentials {
    /// A session that was just opened.
    pub(crate) fn new(
        auth_url: Uri,
        task_url: Uri,
        user: &auth::User,
        credentials: auth::Credentials,
    ) -> Self {
        let mut new = Self {
            auth_url,
            task_url,
            user: user.name.clone(),
            email: user.email.clone(),
            session: String::new(),
            access_token: String::new().into(),
            access_token_expire_time: DateTime::default(),
            refresh_token: String::new().into(),
        };
        new.renew(credentials);
        new
    }

    /// Takes new tokens of the same user from the service.
    pub(crate) fn renew(&mut self, credentials: auth::Credentials) {
        let auth::Credentials {
            access_token,
            access_token_expire_time,
            refresh_token,
            refresh_token_expire_time: _,
            session,
            // A refresh brings none, and it is kept beyond the session.
            device_token: _,
        } = credentials;
        self.renew_access(access_token, access_token_expire_time.as_ref());
        self.refresh_token = Secret::from(refresh_token);
        self.session = session;
    }

    /// Takes a new access token of the same session.
    pub(crate) fn renew_access(&mut self, token: String, ends: Option<&Timestamp>) {
        self.access_token = Secret::from(token);
        self.access_token_expire_time =
            ends.and_then(|time| DateTime::from_timestamp(time.seconds, 0)).unwrap_or_default();
    }
}

/// The file that holds credentials.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    file: PrivateFile,
}

/// The right to change the file, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Store {
    /// The store at `path`, or at the usual place.
    pub(crate) fn at(path: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = path {
            return Ok(Self { file: PrivateFile::at(path.to_owned()) });
        }
        let base = etcetera::choose_base_strategy().map_err(|_| {
            Failure::usage("Your home folder is not known. Name a file with --credentials.")
        })?;
        let path = base.config_dir().join("duet/credentials.json");
        Ok(Self { file: PrivateFile::at(path) })
    }

    /// The credentials, if somebody is signed in.
    pub(crate) fn read(&self) -> Result<Option<Credentials>, Failure> {
        let text = match self.file.read() {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(self.file.path(), &error)),
        };
        let credentials = serde_json::from_str::<Stored>(&text).ok().and_then(Stored::parse);
        credentials.map(Some).ok_or_else(|| {
            let path = self.file.path().display();
            let message = format!("{path} is damaged. Sign in again with `duet sign-in`.");
            Failure::new(Code::Unauthenticated, message)
        })
    }

    /// Replaces the credentials.
    pub(crate) fn write(&self, credentials: &Credentials, _lock: &Lock) -> Result<(), Failure> {
        self.file.replace(&Stored::from(credentials))
    }

    /// Forgets the credentials.
    pub(crate) fn remove(&self, _lock: &Lock) -> Result<(), Failure> {
        self.file.remove()
    }

    /// What makes this device known. It stays when the credentials are forgotten.
    pub(crate) fn passes(&self) -> Passes {
        Passes::at(self.file.beside(".passes"))
    }

    /// Waits until no other process changes the file. What was read before may
    /// be out of date by then.
    pub(crate) async fn lock(&self) -> Result<Lock, Failure> {
        let path = self.file.beside(".lock");
        let file = self.open_lock(&path).map_err(|error| Failure::file(&path, &error))?;
        let until = Instant::now() + LOCK_PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(TryLockError::WouldBlock) => {
                    let path = path.display();
                    let message = format!("Another duet does not let go of {path}.");
                    return Err(Failure::new(Code::DeadlineExceeded, message));
                }
                Err(TryLockError::Error(error)) => return Err(Failure::file(&path, &error)),
            }
        }
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        let folder = self.file.path().parent();
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
    }
}

/// The credentials as they lie in the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    auth_url: String,
    task_url: String,
    user: String,
    email: String,
    session: String,
    access_token: String,
    access_token_expire_time: DateTime<Utc>,
    refresh_token: String,
}

impl Stored {
    fn parse(self) -> Option<Credentials> {
        let Self {
            auth_url,
            task_url,
            user,
            email,
            session,
            access_token,
            access_token_expire_time,
            refresh_token,
        } = self;
        Some(Credentials {
            auth_url: auth_url.parse().ok()?,
            task_url: task_url.parse().ok()?,
            user,
            email,
            session,
            access_token: access_token.into(),
            access_token_expire_time,
            refresh_token: refresh_token.into(),
        })
    }
}

impl From<&Credentials> for Stored {
    fn from(credentials: &Credentials) -> Self {
        let Credentials {
            auth_url,
            task_url,
            user,
            email,
            session,
            access_token,
            access_token_expire_time,
            refresh_token,
        } = credentials;
        Self {
            auth_url: auth_url.to_string(),
            task_url: task_url.to_string(),
            user: user.clone(),
            email: email.clone(),
            session: session.clone(),
            access_token: access_token.expose().to_owned(),
            access_token_expire_time: *access_token_expire_time,
            refresh_token: refresh_token.expose().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            auth_url: "http://127.0.0.1:50051".parse().unwrap(),
            task_url: "http://127.0.0.1:50052".parse().unwrap(),
            user: "users/u".to_owned(),
            email: "ada@example.com".to_owned(),
            session: "users/u/sessions/s".to_owned(),
            access_token: "canary-access".to_owned().into(),
            access_token_expire_time: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            refresh_token: "canary-refresh".to_owned().into(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn only_the_user_can_read_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("new/duet.json"))).unwrap();
        assert!(store.read().unwrap().is_none());

        let lock = store.lock().await.unwrap();
        store.write(&credentials(), &lock).unwrap();
        store.write(&credentials(), &lock).unwrap();
        assert_eq!(mode(store.file.path()), 0o600);
        assert_eq!(mode(store.file.path().parent().unwrap()), 0o700);
        let read = store.read().unwrap().unwrap();
        assert_eq!(read.refresh_token.expose(), "canary-refresh");
        assert!(!format!("{read:?}").contains("canary"));
        let mut left: Vec<_> = fs::read_dir(store.file.path().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["duet.json", "duet.json.lock"]);

        store.remove(&lock).unwrap();
        store.remove(&lock).unwrap();
        assert!(store.read().unwrap().is_none());
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_or_that_is_damaged_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("duet.json"))).unwrap();
        let lock = store.lock().await.unwrap();
        store.write(&credentials(), &lock).unwrap();
        fs::set_permissions(store.file.path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(store.read().unwrap_err().exit(), 74);

        fs::set_permissions(store.file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(store.file.path(), "{\"refreshToken\": \"canary\"").unwrap();
        let failure = store.read().unwrap_err();
        assert_eq!(failure.exit(), 16);
        assert!(!failure.to_string().contains("canary"));
    }

    #[tokio::test]
    async fn the_lock_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(Some(&folder.path().join("duet.json"))).unwrap();
        let held = store.lock().await.unwrap();
        let file = store.open_lock(&store.file.beside(".lock")).unwrap();
        assert!(matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(file.try_lock().is_ok());
    }
}
