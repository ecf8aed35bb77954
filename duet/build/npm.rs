//! Runs npm and `web/build.mjs` on a copy of `web/`, each for a bounded time.
//! What is copied is named here, so that tests and installed packages are not.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What the page is made of: files and whole folders.
const SOURCES: [&str; 9] = [
    ".npmrc",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "build.mjs",
    "descriptors.mjs",
    "index.html",
    "src",
    "client/src",
];
const CLIENT: &str = "client/package.json";
const LOCK: &str = "package-lock.json";

/// How long npm may look for packages, and the page may take to be built.
const PATIENCE: Duration = Duration::from_secs(150);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Failure {
    NoNpm,
    /// The packages could not be installed.
    NotInstalled(String),
    /// The sources, or what they were built into, are not as they should be.
    NotBuilt(String),
}

impl Failure {
    /// What the page's place says about it: it "…". No path of the builder's.
    pub(crate) const fn in_short(&self) -> &'static str {
        match self {
            Self::NoNpm => "needs npm to be built, which was not found",
            Self::NotInstalled(_) => {
                "could not be built, because npm could not install its packages; cargo warned of it"
            }
            Self::NotBuilt(_) => {
                "could not be built, because its sources have a fault; cargo warned of it"
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNpm => f.write_str("npm, which comes with Node.js, was not found"),
            Self::NotInstalled(why) => write!(f, "npm ci: {why}"),
            Self::NotBuilt(why) => write!(f, "node build.mjs: {why}"),
        }
    }
}

fn sources() -> impl Iterator<Item = &'static str> {
    SOURCES.into_iter().chain([CLIENT])
}

/// Makes cargo watch what the page is made of, and nothing else.
pub(crate) fn watch_sources(source: &Path) {
    for name in sources() {
        println!("cargo::rerun-if-changed={}", source.join(name).display());
    }
}

/// Builds the page, and tells the folder that it is in.
pub(crate) fn build(source: &Path, copy: &Path) -> Result<PathBuf, Failure> {
    take_copy(source, copy)?;
    install(copy)?;
    let page = copy.join("dist");
    let mut node = Command::new("node");
    node.args(["build.mjs", "--out"]).arg(&page).current_dir(copy);
    match finish(node, &copy.join("build.log")) {
        Ok(None) => Ok(page),
        Ok(Some(why)) => Err(Failure::NotBuilt(why)),
        Err(error) => Err(Failure::NotBuilt(error.to_string())),
    }
}

/// Copies the sources anew, so that what was removed there is gone here. The
/// installed packages stay.
fn take_copy(source: &Path, copy: &Path) -> io::Result<()> {
    for name in sources() {
        let (from, to) = (source.join(name), copy.join(name));
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        copy_all(&from, &to).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot copy web/{name}: {error}"))
        })?;
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Installs the packages, unless those of this very lock file are there.
fn install(copy: &Path) -> Result<(), Failure> {
    let (lock, installed) = (fs::read(copy.join(LOCK))?, copy.join("installed.json"));
    if fs::read(&installed).is_ok_and(|before| before == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline"])
        .args(["--no-audit", "--no-fund", "--no-update-notifier"])
        // One more try, soon: by default npm waits for minutes where there is no network.
        .args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"])
        .current_dir(copy);
    match finish(npm, &copy.join("npm.log")) {
        Ok(None) => Ok(fs::write(installed, lock)?),
        Ok(Some(why)) => Err(Failure::NotInstalled(why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::NoNpm),
        Err(error) => Err(Failure::NotInstalled(error.to_string())),
    }
}

/// Runs a command to its end, or to the end of patience. What it says goes to a
/// file: a pipe that outlives it could hold us. Tells why it failed, if it did.
fn finish(mut command: Command, log: &Path) -> io::Result<Option<String>> {
    let said = File::create(log)?;
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let mut child = command.spawn()?;
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            let why = format!("{status}; see {}", log.display());
            return Ok((!status.success()).then_some(why));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(Some(format!("it took longer than {} s", PATIENCE.as_secs())));
        }
        thread::sleep(LOOK_EVERY);
    }
}
