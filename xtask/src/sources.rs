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

/// The same for the page and its tests.
const FORBIDDEN_SCRIPT: [(&str, &str); 5] = [
    (concat!("test.", "skip"), "a test runs or it is not there"),
    (concat!("test.", "fixme"), "a test runs or it is not there"),
    (concat!("test.", "only"), "every test runs"),
    (concat!("waitFor", "Timeout"), "wait for a state, not for time"),
    (concat!("@ts-", "ignore"), "the types are right or they are changed"),
];

/// What is generated keeps to nothing.
const GENERATED: &str = "web/client/src/gen/";

/// Everything that is wrong, a line each.
pub(crate) fn faults() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let scripts = [files(".ts")?, files(".tsx")?].concat();
    let scripts = scripts.into_iter().filter(|file| !file.starts_with(GENERATED));
    let sources = files(".rs")?.into_iter().map(|file| (file, RUST));
    for (file, rules) in sources.chain(scripts.map(|file| (file, SCRIPT))) {
        let text = fs::read_to_string(root().join(&file))?;
        faults.extend(rules.judge(&text).into_iter().map(|fault| format!("{file} {fault}")));
    }
    for file in files(".md")? {
        let text = fs::read_to_string(root().join(&file))?;
        let folder = root().join(&file).parent().map(ToOwned::to_owned).unwrap_or_default();
        let missing = links(&text).into_iter().filter(|link| !folder.join(link).exists());
        faults.extend(missing.map(|link| format!("{file} links to {link}, which is not there")));
    }
    Ok(faults)
}

/// What holds for the files of one language.
#[derive(Clone, Copy)]
struct Rules {
    /// How a file begins that says what it owns.
    opening: &'static str,
    forbidden: &'static [(&'static str, &'static str)],
}

const RUST: Rules = Rules { opening: "//!", forbidden: &FORBIDDEN };
const SCRIPT: Rules = Rules { opening: "// ", forbidden: &FORBIDDEN_SCRIPT };

impl Rules {
    fn judge(self, text: &str) -> Vec<String> {
        let Self { opening, forbidden } = self;
        let mut faults = Vec::new();
        if !text.starts_with(opening) {
            faults.push(format!("does not begin by saying what it owns (`{opening}`)"));
        }
        let lines = text.lines().count();
        if lines > MOST_LINES {
            faults.push(format!("has {lines} lines, more than {MOST_LINES}: split it by meaning"));
        }
        for (forbidden, reason) in forbidden {
            if text.contains(forbidden) {
                faults.push(format!("contains `{forbidden}`: {reason}"));
            }
        }
        faults
    }
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
        assert_eq!(RUST.judge("//! Owns nothing.\n"), Vec::<String>::new());
        assert_eq!(RUST.judge(&format!("fn f() {{ {}) }}", FORBIDDEN[1].0)).len(), 2);
        assert_eq!(RUST.judge(&"//!\n".repeat(MOST_LINES + 1)).len(), 1);
    }

    #[test]
    fn links_are_those_into_the_repository() {
        let page = "[a](docs/a.md#part) [b](https://example.org/) [c](#here) [d](shared/)";
        assert_eq!(links(page), ["docs/a.md", "shared/"]);
    }
}
