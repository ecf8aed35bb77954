//! What the README says is run here word for word, as far as it can be without
//! the tools of others.

use crate::harness::project;

/// The commands in the block under a heading.
fn block(heading: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let section = readme.split_once(heading).expect("the heading").1;
    let block = section.split("```").nth(1).expect("a block");
    block.lines().skip(1).map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

/// The two commands are `cargo run` and the one that runs this very test.
#[test]
fn the_two_commands_are_what_they_say() {
    let commands = block("## Two commands");
    let commands: Vec<&str> =
        commands.iter().map(|line| line.split('#').next().unwrap().trim()).collect();
    assert_eq!(commands, ["cargo run", "cargo test --workspace"]);
}

/// The six files to read are there.
#[test]
fn every_file_that_the_readme_names_is_there() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = std::fs::read_to_string(project().join(document)).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            let local = !link.is_empty() && !link.contains("://");
            assert!(!local || project().join(link).exists(), "{document} names {link}");
        }
    }
}
