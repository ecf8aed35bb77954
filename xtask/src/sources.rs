//! What every source file and page keeps to, as far as a glance can tell.

use std::fs;

use crate::workspace::{files, root};

/// The most lines that a source file may have.
const MOST_LINES: usize = 400;

/// Texts that no source file may contain. Spelled in two halves, because this
/// is a source file too.
const FORBIDDEN: [(&str, &str); 3] = [
    (concat!("#[", "ignore"), "a test runs or it is not there"),
    (concat!("todo", "!("), "what is not finished does not land"),
    (concat!("unimplemented", "!("), "what is not finished does not land"),
];

/// Everything that is wrong, a line each.
pub(crate) fn faults() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for file in files(".rs")? {
        let text = fs::read_to_string(root().join(&file))?;
        faults.extend(judge_source(&text).into_iter().map(|fault| format!("{file} {fault}")));
    }
    for file in files(".md")? {
        let text = fs::read_to_string(root().join(&file))?;
        let folder = root().join(&file).parent().map(ToOwned::to_owned).unwrap_or_default();
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        faults.extend(missing.map(|link| format!("{file} links to {link}, which is not there")));
    }
    Ok(faults)
}

fn judge_source(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push("does not begin by saying what it owns (`//!`)".to_owned());
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        faults.push(format!("has {lines} lines, more than {MOST_LINES}: split it by meaning"));
    }
    for (forbidden, reason) in FORBIDDEN {
        if text.contains(forbidden) {
            faults.push(format!("contains `{forbidden}`: {reason}"));
        }
    }
    faults
}

/// The files and folders that a page links to.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let paths = ends.map(|(link, _)| link.split('#').next().unwrap_or_default());
    paths.filter(|path| !path.is_empty() && !path.contains("://")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_without_a_head_or_with_an_unfinished_part_is_found() {
        assert_eq!(judge_source("//! Owns nothing.\n"), Vec::<String>::new());
        assert_eq!(judge_source(&format!("fn f() {{ {}) }}", FORBIDDEN[1].0)).len(), 2);
        assert_eq!(judge_source(&"//!\n".repeat(MOST_LINES + 1)).len(), 1);
    }

    #[test]
    fn links_are_those_into_the_repository() {
        let page = "[a](docs/a.md#part) [b](https://example.org/) [c](#here) [d](shared/)";
        assert_eq!(links(page), ["docs/a.md", "shared/"]);
    }
}
