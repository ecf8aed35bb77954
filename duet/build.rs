//! Builds the page of `web/` and writes the table of its files that
//! `src/up/page.rs` embeds. npm is wanted, never needed: without it, or if it
//! fails, the program is built without the page and says why.
//!
//! `DUET_WEB=off` leaves the page out, `DUET_WEB=<folder>` embeds one that is
//! built already. Nothing is ever written into the source tree.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts like this")]

#[path = "build/npm.rs"]
mod npm;
#[path = "build/table.rs"]
mod table;

use std::{
    env,
    error::Error,
    io,
    path::{Path, PathBuf},
};

use npm::Failure;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=DUET_WEB");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let project = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;

    let wish = env::var("DUET_WEB").unwrap_or_default();
    let table = match wish.as_str() {
        "" => built(&project.join("web"), &out.join("web")),
        "off" => Err("was left out on purpose: this program was built with DUET_WEB=off"),
        folder => given(&project.join(folder)),
    };
    table::write(&table, &out.join("page.rs"))?;
    Ok(())
}

/// The page of `source`, built in `copy`; else why there is none.
fn built(source: &Path, copy: &Path) -> Result<String, &'static str> {
    npm::watch_sources(source);
    let table = npm::build(source, copy).and_then(|page| Ok(table::of(&page)?));
    table.map_err(|failure| {
        println!("cargo::warning=This program is built without its page: {failure}.");
        look_again(&failure);
        failure.in_short()
    })
}

/// The page that somebody else has built.
fn given(folder: &Path) -> Result<String, &'static str> {
    println!("cargo::rerun-if-changed={}", folder.display());
    table::of(folder).map_err(|error| {
        println!("cargo::warning=This program is built without its page: DUET_WEB: {error}.");
        "was not in the folder that DUET_WEB named"
    })
}

/// Makes cargo run this again when it could go better. What is wrong with the
/// sources is tried again when they change, which is watched anyway.
fn look_again(failure: &Failure) {
    match failure {
        // Whoever installs npm changes one of these folders.
        Failure::NoNpm => {
            println!("cargo::rerun-if-env-changed=PATH");
            let path = env::var_os("PATH").unwrap_or_default();
            for folder in env::split_paths(&path).filter(|folder| folder.is_dir()) {
                println!("cargo::rerun-if-changed={}", folder.display());
            }
        }
        // The network may be back at any time: a file that is never there asks each time.
        Failure::NotInstalled(_) => println!("cargo::rerun-if-changed=build/try-again"),
        Failure::NotBuilt(_) => {}
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::NotBuilt(error.to_string())
    }
}
