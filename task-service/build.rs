//! Lists the SQL functions, and notices new ones and new migrations.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=functions");
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("functions");
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    let mut list = String::from("&[");
    for file in files {
        write!(list, "({:?}, include_str!({:?})), ", file.file_name(), file.path())?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("functions.rs"), list)?;
    Ok(())
}
