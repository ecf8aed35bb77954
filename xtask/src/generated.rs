//! What is generated and committed: written in its place, or compared with what
//! is there. Comparing never touches the work tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use anyhow::Context as _;

use crate::workspace::root;

/// Files by their path in the workspace, and folders that hold nothing else.
#[derive(Default)]
pub(crate) struct Generated {
    files: BTreeMap<PathBuf, String>,
    folders: Vec<PathBuf>,
}

impl Generated {
    /// Adds a file.
    pub(crate) fn file(&mut self, path: impl Into<PathBuf>, text: String) {
        self.files.insert(path.into(), text);
    }

    /// Adds a folder in which every other file is stale.
    pub(crate) fn folder(&mut self, path: impl Into<PathBuf>) {
        self.folders.push(path.into());
    }

    /// Makes the workspace have exactly these files.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        for stale in self.differing()? {
            let path = root().join(&stale);
            if let Some(text) = self.files.get(&stale) {
                fs::create_dir_all(path.parent().context("a file without a folder")?)?;
                fs::write(&path, text)?;
                println!("wrote {}", stale.display());
            } else {
                fs::remove_file(&path)?;
                println!("removed {}", stale.display());
            }
        }
        Ok(())
    }

    /// The files that are missing, not what they should be, or too many.
    pub(crate) fn differing(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let differs = |&(path, text): &(&PathBuf, &String)| {
            fs::read_to_string(root().join(path)).ok().as_ref() != Some(text)
        };
        let mut stale: BTreeSet<PathBuf> =
            self.files.iter().filter(differs).map(|(path, _)| path.clone()).collect();
        for folder in &self.folders {
            let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
            for entry in entries {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                if entry.file_type()?.is_file() && !self.files.contains_key(&path) {
                    stale.insert(path);
                }
            }
        }
        Ok(stale)
    }
}
