//! docs/asvs.md: every requirement of OWASP ASVS 5.0, levels 1 and 2, once, and
//! no proof that is not there.
//!
//! Invariant: a proof is `file` or `file::test`, from the top of the repository.
//! Whether a test proves what the row says is for readers to judge.

use std::{collections::BTreeMap, fs, path::Path};

use crate::workspace::root;

const PAGE: &str = "docs/asvs.md";
/// How many requirements the levels 1 and 2 have.
const REQUIREMENTS: usize = 253;
/// The words for how a requirement stands.
const STATES: [&str; 5] = ["met", "operator", "partly", "not met", "n/a"];

/// Everything that is wrong, a line each.
pub(crate) fn faults() -> anyhow::Result<Vec<String>> {
    let page = fs::read_to_string(root().join(PAGE))?;
    Ok(judge(&page, REQUIREMENTS, &root()))
}

/// A row of a chapter's table.
struct Row<'a> {
    /// The requirements it is about.
    ids: Vec<String>,
    state: &'a str,
    proofs: &'a str,
}

fn judge(page: &str, requirements: usize, root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for row in page.lines().filter_map(row) {
        let Row { ids, state, proofs } = row;
        let first = ids.first().cloned().unwrap_or_default();
        if !STATES.contains(&state) {
            faults.push(format!("{PAGE}: {first} is {state}, which is no state"));
        }
        let named: Vec<&str> = proofs.split('`').skip(1).step_by(2).filter(is_proof).collect();
        if matches!(state, "met" | "partly") && named.is_empty() {
            faults.push(format!("{PAGE}: {first} is {state} and names no proof"));
        }
        for id in ids {
            *times.entry(id).or_default() += 1;
        }
    }
    let twice = times.iter().filter(|(_, times)| **times > 1);
    faults.extend(twice.map(|(id, _)| format!("{PAGE} has {id} more than once")));
    if times.len() != requirements {
        faults.push(format!("{PAGE} has {} requirements of {requirements}", times.len()));
    }
    let named = page.split('`').skip(1).step_by(2).filter(is_proof);
    let missing = named.filter(|proof| !is_there(proof, root));
    faults.extend(missing.map(|proof| format!("{PAGE} names {proof}, which is not there")));
    faults
}

/// Reads a row whose first cell is `1.2.3`, several of them, or `1.2.3–1.2.5`.
fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
    let [ids, _, state, proofs, ""] = cells[..] else { return None };
    let ids: Option<Vec<Vec<String>>> = ids.split(", ").map(range).collect();
    Some(Row { ids: ids?.concat(), state, proofs })
}

fn range(text: &str) -> Option<Vec<String>> {
    let (first, last) = text.split_once('–').unwrap_or((text, text));
    let read = |id: &str| {
        let (section, number) = id.rsplit_once('.')?;
        let is_section = section.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 2;
        is_section.then_some((section.to_owned(), number.parse::<u8>().ok()?))
    };
    let ((section, first), (same, last)) = (read(first)?, read(last)?);
    (section == same).then(|| (first..=last).map(|number| format!("{section}.{number}")).collect())
}

/// Whether what stands in backticks is a proof: it names a file of ours.
fn is_proof(text: &&str) -> bool {
    let file = text.split("::").next().unwrap_or_default();
    !file.contains(' ') && (file.contains('/') || file.ends_with(".md") || file.ends_with(".toml"))
}

/// Whether there is such a file, and such a test in it: a function in Rust, a
/// title in TypeScript.
fn is_there(proof: &str, root: &Path) -> bool {
    let (file, test) =
        proof.split_once("::").map_or((proof, None), |(file, test)| (file, Some(test)));
    match (fs::read_to_string(root.join(file)), test) {
        (Err(_), _) => false,
        (Ok(_), None) => true,
        (Ok(text), Some(test)) if file.ends_with(".rs") => text.contains(&format!("fn {test}(")),
        (Ok(text), Some(title)) => text.contains(&format!("test(\"{title}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
        | 1.1.1 | a | met | `xtask/src/asvs.rs::judge` and `--flag` |\n\
        | 1.2.1–1.2.3, 1.4.1 | b | n/a | there is none |\n\
        | a heading | without a number | met | |\n";

    #[test]
    fn a_page_that_is_complete_and_proven_is_good() {
        assert_eq!(judge(GOOD, 5, &root()), Vec::<String>::new());
    }

    #[test]
    fn every_requirement_is_there_and_proven_by_what_is_there() {
        assert_eq!(faults().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_or_unproven_is_found() {
        let faults = |row: &str, count| judge(&format!("{GOOD}{row}"), count, &root()).len();
        assert_eq!(faults("", 6), 1);
        assert_eq!(faults("| 1.2.2 | c | n/a | again |", 5), 1);
        assert_eq!(faults("| 1.5.1 | c | met | for sure |", 6), 1);
        assert_eq!(faults("| 1.5.1 | c | perhaps | `Cargo.toml` |", 6), 1);
        assert_eq!(faults("| 1.5.1 | c | met | `xtask/src/gone.rs` |", 6), 1);
        assert_eq!(faults("| 1.5.1 | c | met | `xtask/src/asvs.rs::gone` |", 6), 1);
        assert_eq!(faults("see `docs/gone.md`", 5), 1);
    }
}
