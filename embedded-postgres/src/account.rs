//! Who the server runs as. PostgreSQL refuses uid 0, so root drops to
//! `postgres`, else to `nobody`; everybody else runs it as themselves. The
//! account comes from /etc/passwd, because `initdb` insists on an entry there.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

use rustix::process::geteuid;

use crate::Error;

/// The accounts root drops to, the better one first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The account of the server process.
#[derive(Clone, Debug)]
pub(crate) enum RunAs {
    /// The current user.
    Myself,
    /// We are root, and the server is not.
    Dropped { name: String, uid: u32, gid: u32 },
}

impl RunAs {
    /// Decides for this process.
    pub(crate) fn current() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self::Myself);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(Error::folder("/etc"))?;
        Self::from_passwd(&passwd).ok_or(Error::NoAccount)
    }

    fn from_passwd(passwd: &str) -> Option<Self> {
        CANDIDATES.iter().find_map(|wanted| {
            passwd.lines().find_map(|line| {
                let fields: Vec<&str> = line.split(':').collect();
                let [name, _, uid, gid, ..] = fields[..] else { return None };
                let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
                (name == *wanted && uid != 0).then(|| Self::Dropped {
                    name: name.to_owned(),
                    uid,
                    gid,
                })
            })
        })
    }

    /// The numeric user id of the server.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Myself => geteuid().as_raw(),
            Self::Dropped { uid, .. } => *uid,
        }
    }

    /// The mode of folders above the server's own: as root it must be let through.
    pub(crate) fn folder_mode(&self) -> u32 {
        match self {
            Self::Myself => 0o700,
            Self::Dropped { .. } => 0o711,
        }
    }

    /// Has the command run as this account.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Dropped { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Gives a path to this account.
    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Myself => Ok(()),
            Self::Dropped { uid, gid, .. } => {
                std::os::unix::fs::chown(path, Some(*uid), Some(*gid)).map_err(Error::folder(path))
            }
        }
    }

    /// Refuses a folder that this account cannot enter. Our own rights need no
    /// check here: using the folder shows them.
    pub(crate) fn check_entry(&self, folder: &Path) -> Result<(), Error> {
        let Self::Dropped { name, uid, gid } = self else { return Ok(()) };
        for step in folder.ancestors() {
            let meta = fs::metadata(step).map_err(Error::folder(step))?;
            let enter = match () {
                () if meta.uid() == *uid => 0o100,
                () if meta.gid() == *gid => 0o010,
                () => 0o001,
            };
            if meta.mode() & enter == 0 {
                return Err(Error::Closed { folder: step.to_owned(), account: name.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(passwd: &str) -> Option<String> {
        match RunAs::from_passwd(passwd)? {
            RunAs::Dropped { name, uid, gid } => Some(format!("{name} {uid} {gid}")),
            RunAs::Myself => None,
        }
    }

    #[test]
    fn root_prefers_the_account_made_for_the_server() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:\npostgres:x:101:104::/:\n";
        assert_eq!(name(passwd).as_deref(), Some("postgres 101 104"));
        assert_eq!(name("nobody:x:65534:65533::/:").as_deref(), Some("nobody 65534 65533"));
    }

    #[test]
    fn an_account_that_is_root_again_does_not_count() {
        assert_eq!(name("postgres:x:0:0::/:\nbroken line\npostgres2:x:5:5::/:"), None);
    }
}
