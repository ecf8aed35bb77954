//! Finds the programs of a PostgreSQL server: the folder the user named, else
//! the first on PATH, else the newest in the usual places, else the packaged
//! one. What is returned has `postgres` and `initdb` side by side and answered
//! `--version`. Reads no environment variable itself: `PG_BIN` is an argument.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, aside::aside, package};

/// The oldest major version that will do.
pub(crate) const OLDEST: u32 = 15;

/// Which PostgreSQL to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// An installed server of version 15 or later, else the packaged one.
    #[default]
    Any,
    /// The packaged one, always.
    Packaged,
}

/// What is being waited for, for a progress display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// npm is fetching the packaged server.
    Downloading {
        /// Name and version.
        package: String,
        /// About how much there is.
        total_bytes: u64,
        /// About how much is here.
        bytes: u64,
    },
    /// The package is being unpacked.
    Unpacking,
    /// A new data folder is being made.
    Initializing,
    /// The server is starting.
    Starting,
}

/// Where a server's programs came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are installed on this system.
    Installed,
    /// They came with the npm package.
    Packaged,
}

/// The programs of one PostgreSQL version.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The folder with `postgres` and `initdb`.
    pub bin_dir: PathBuf,
    /// The major version, at least 15.
    pub major: u32,
    /// The whole version, such as `18.4`.
    pub version: String,
    /// Where they came from.
    pub origin: Origin,
}

/// Finds a server, fetching the packaged one when that is asked for or nothing
/// else is there. `pg_bin` is the folder the user named (`PG_BIN`): it wins over
/// every other place, and it is an error when it holds no usable server. With
/// [`Source::Packaged`] it is not looked at.
///
/// # Errors
/// [`Error::NotFound`] and its relatives; each names the way out.
pub async fn locate(
    source: Source,
    pg_bin: Option<&Path>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Binaries, Error> {
    if source == Source::Packaged {
        return package::fetch(progress).await;
    }
    if let Some(folder) = pg_bin {
        return Binaries::at(folder, Origin::Installed)
            .map_err(|reason| Error::Unusable { folder: folder.to_owned(), reason });
    }
    match aside(installed).await.map_err(Error::run("postgres"))? {
        Some(binaries) => Ok(binaries),
        None => package::fetch(progress).await.map_err(|error| match error {
            Error::NpmMissing => Error::NotFound { install: how_to_install() },
            other => other,
        }),
    }
}

impl Binaries {
    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin_dir.join(name)
    }

    /// Looks at a folder, or at what the `postgres` in it links to; the error
    /// is the reason why it will not do.
    pub(crate) fn at(folder: &Path, origin: Origin) -> Result<Self, String> {
        let named = folder.join("postgres");
        let real = fs::canonicalize(&named).map_err(|error| format!("`postgres`: {error}"))?;
        // A link such as /usr/local/bin/postgres leads to the real folder, where
        // the server also finds its libraries; a wrapper script leads nowhere.
        let bin_dir = [real.parent(), Some(folder)]
            .into_iter()
            .flatten()
            .find(|dir| dir.join("postgres").is_file() && dir.join("initdb").is_file())
            .and_then(|dir| fs::canonicalize(dir).ok())
            .ok_or("there is no `initdb` beside `postgres`")?;
        let answer = ask(&bin_dir.join("postgres"), &["--version"])?;
        let (major, version) = parse_version(&answer)
            .ok_or_else(|| format!("`postgres --version` answered {answer:?}"))?;
        if major < OLDEST {
            return Err(format!("its version is {version}"));
        }
        Ok(Self { bin_dir, major, version, origin })
    }
}

/// The command that installs PostgreSQL here.
pub(crate) fn how_to_install() -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql";
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let ids: Vec<&str> = release
        .lines()
        .filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")))
        .flat_map(|value| value.trim_matches('"').split(' '))
        .collect();
    let commands = [
        ("debian", "apt-get install postgresql"),
        ("ubuntu", "apt-get install postgresql"),
        ("fedora", "dnf install postgresql-server"),
        ("rhel", "dnf install postgresql-server"),
        ("suse", "zypper install postgresql-server"),
        ("alpine", "apk add postgresql"),
        ("arch", "pacman -S postgresql"),
    ];
    let known = commands.iter().find(|(id, _)| ids.contains(id));
    known.map_or("with this system's package tool", |(_, command)| command)
}

/// PATH first; then the newest of the usual places; then what `pg_config` says.
fn installed() -> Option<Binaries> {
    let usable = |folder: &Path| match Binaries::at(folder, Origin::Installed) {
        Ok(binaries) => Some(binaries),
        Err(reason) => {
            tracing::debug!(folder = %folder.display(), reason, "no usable PostgreSQL in this folder");
            None
        }
    };
    let on_path = || {
        let found = ask(Path::new("/bin/sh"), &["-c", "command -v postgres"]).ok()?;
        usable(Path::new(&found).parent()?)
    };
    let usual = || {
        usual_places().iter().filter_map(|folder| usable(folder)).max_by_key(|found| found.major)
    };
    let configured = || usable(Path::new(&ask(Path::new("pg_config"), &["--bindir"]).ok()?));
    on_path().or_else(usual).or_else(configured)
}

/// The folders where distributions and installers put the programs.
fn usual_places() -> Vec<PathBuf> {
    // (folder to list, start of the entry's name, path from the entry to the programs)
    const PLACES: [(&str, &str, &str); 9] = [
        ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu
        ("/usr", "pgsql-", "bin"),                  // the RPMs of postgresql.org
        ("/usr/lib", "postgresql", "bin"),          // SUSE
        ("/usr/libexec", "postgresql", ""),         // Alpine
        ("/usr/lib64", "postgresql-", "bin"),       // Gentoo
        ("/usr/local", "pgsql", "bin"),             // built from source
        ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"), // Homebrew on Linux
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"), // Postgres.app
    ];
    let homebrew_on_intel = ("/usr/local/opt", "postgresql", "bin");
    PLACES
        .into_iter()
        .chain([homebrew_on_intel])
        .flat_map(|(parent, start, rest)| {
            let entries = fs::read_dir(parent).into_iter().flatten().flatten();
            entries
                .filter(move |entry| entry.file_name().to_string_lossy().starts_with(start))
                .map(move |entry| entry.path().join(rest))
        })
        .filter(|folder| folder.join("postgres").is_file())
        .collect()
}

/// What a program prints in one line, or why it printed none.
fn ask(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{}`: {error}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}`: {}", program.display(), said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian …)` or `… 19beta1`.
fn parse_version(answer: &str) -> Option<(u32, String)> {
    let version = answer.strip_prefix("postgres (PostgreSQL) ")?.split(' ').next()?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_with_and_without_a_distribution() {
        let of = |answer| parse_version(answer).unwrap();
        assert_eq!(
            of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            (15, "15.18".to_owned())
        );
        assert_eq!(of("postgres (PostgreSQL) 18.4"), (18, "18.4".to_owned()));
        assert_eq!(of("postgres (PostgreSQL) 19beta1"), (19, "19beta1".to_owned()));
        assert!(parse_version("mysqld  Ver 8.0").is_none());
    }

    #[test]
    fn a_folder_without_a_server_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let reason = Binaries::at(folder.path(), Origin::Installed).unwrap_err();
        assert!(reason.starts_with("`postgres`: No such file"), "{reason}");
        fs::write(folder.path().join("postgres"), "").unwrap();
        let reason = Binaries::at(folder.path(), Origin::Installed).unwrap_err();
        assert_eq!(reason, "there is no `initdb` beside `postgres`");
    }

    #[test]
    fn a_server_that_is_too_old_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for name in ["postgres", "initdb"] {
            let path = folder.path().join(name);
            fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 14.20'\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let reason = Binaries::at(folder.path(), Origin::Installed).unwrap_err();
        assert_eq!(reason, "its version is 14.20");
    }
}
