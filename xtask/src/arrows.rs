//! Which crate of the workspace may depend on which: `proto` ← `shared` ← the
//! services ← `duet`. The two services never name each other; everything they
//! have in common is in `shared`.

use anyhow::Context as _;
use serde_json::Value;

use crate::workspace::{command, output};

/// What each crate may name, tests and build scripts included. `notes` is the
/// example of a third service: `duet` has it in its tests.
const ARROWS: [(&str, &[&str]); 9] = [
    ("proto", &[]),
    ("embedded-postgres", &[]),
    ("shared", &["proto", "embedded-postgres"]),
    ("auth-service", &["proto", "shared"]),
    ("task-service", &["proto", "shared"]),
    ("notes", &["shared"]),
    ("duet", &["proto", "shared", "embedded-postgres", "auth-service", "task-service", "notes"]),
    ("bench", &["proto", "shared", "embedded-postgres", "auth-service", "task-service", "duet"]),
    ("xtask", &[]),
];

/// Every dependency that must not be, a line each.
pub(crate) fn faults() -> anyhow::Result<Vec<String>> {
    let metadata = ["metadata", "--no-deps", "--format-version", "1"];
    let text = output(&mut command("cargo", &metadata))?;
    judge(&serde_json::from_str(&text)?)
}

fn judge(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in list(metadata, "packages")? {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some((_, may)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
            faults.push(format!("{name} has no row in xtask/src/arrows.rs"));
            continue;
        };
        for dependency in list(package, "dependencies")? {
            if dependency["path"].is_null() {
                continue;
            }
            let on = dependency["name"].as_str().context("a dependency without a name")?;
            let shipped = dependency["kind"] != "dev";
            // A crate's own tests may ask it for its test tools.
            let itself = name == on && !shipped;
            if !may.contains(&on) && !itself {
                faults.push(format!("{name} must not depend on {on}"));
            }
            if (name, on) == ("shared", "embedded-postgres") && dependency["optional"] != true {
                faults.push("shared may have embedded-postgres only as an option".to_owned());
            }
            let testing = list(dependency, "features")?.iter().any(|on| on == "testing");
            if shipped && testing && name != "bench" {
                faults.push(format!("{name} may have {on}'s feature `testing` only in tests"));
            }
        }
        if name == "shared" {
            faults.extend(opening_features(package));
        }
    }
    Ok(faults)
}

/// The features of `shared` besides `testing` that bring `embedded-postgres`.
fn opening_features(package: &Value) -> Vec<String> {
    let brings = |enabled: &Value| {
        let enabled = enabled.as_array().map(Vec::as_slice).unwrap_or_default();
        enabled.iter().filter_map(Value::as_str).any(|name| name.contains("embedded-postgres"))
    };
    let features = package["features"].as_object();
    let opening = features.into_iter().flatten().filter(|(_, enabled)| brings(enabled));
    opening
        .filter(|(feature, _)| *feature != "testing")
        .map(|(feature, _)| format!("shared's feature `{feature}` must not bring a Postgres"))
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a [Value]> {
    value[key].as_array().map(Vec::as_slice).with_context(|| format!("no {key} in the metadata"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_workspace_keeps_its_arrows() {
        assert_eq!(faults().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_service_that_names_the_other_is_found_and_so_is_a_shipped_test_tool() {
        let dependency = |name: &str, kind: Value, features: Value| json!({ "name": name, "path": "/", "kind": kind, "optional": false, "features": features });
        let metadata = json!({ "packages": [{
            "name": "task-service",
            "features": {},
            "dependencies": [
                dependency("auth-service", json!("dev"), json!([])),
                dependency("shared", Value::Null, json!(["testing"])),
                { "name": "anyhow", "kind": null, "features": [] },
            ],
        }] });
        let expected = [
            "task-service must not depend on auth-service",
            "task-service may have shared's feature `testing` only in tests",
        ];
        assert_eq!(judge(&metadata).unwrap(), expected);
    }
}
