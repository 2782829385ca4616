//! The rooms that must stay pure depend on nothing that does I/O, keeps time or rolls dice.
//!
//! `cargo tree` is asked and not `cargo metadata`: the latter shows every crate with the features that the whole workspace
//! switches on, and a crate is not impure because its neighbour has encryption drawn from random numbers.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// The crates that hold rules and formats. One that does not exist yet is no error.
const PURE: [&str; 3] = ["rampart-aws", "rampart-core", "rampart-policy"];

/// What none of them may pull in, directly or not.
const FORBIDDEN: [&str; 24] = [
    "async-std",
    "axum",
    "chrono",
    "deadpool-postgres",
    "getrandom",
    "h2",
    "http",
    "http-body",
    "hyper",
    "hyper-util",
    "jiff",
    "libsqlite3-sys",
    "mio",
    "postgres-protocol",
    "quanta",
    "rand",
    "reqwest",
    "rusqlite",
    "smol",
    "socket2",
    "time",
    "tokio",
    "tokio-postgres",
    "tower",
];

pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = workspace.metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let names: Vec<&str> = packages.iter().filter_map(|package: &Value| package["name"].as_str()).collect();
    let mut problems = Vec::new();
    for pure in PURE.into_iter().filter(|pure| names.contains(pure)) {
        let mut cargo = workspace.cargo();
        // Normal dependencies only: tests and build scripts may use what they like.
        cargo.args(["tree", "--package", pure, "--edges", "normal", "--prefix", "depth", "--format", " {p}"]);
        problems.extend(forbidden_paths(&process::capture(&mut cargo)?));
    }
    Ok(problems)
}

/// For each forbidden crate in a tree, one way to it: `rampart-core -> a -> tokio`. A line of the tree is a depth and a
/// package, `2 tokio v1.54.1`, each below its dependent.
fn forbidden_paths(tree: &str) -> Vec<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut found: Vec<(&str, String)> = Vec::new();
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let (Some(depth), Some(name)) = (words.next().and_then(|word| word.parse().ok()), words.next())
        else {
            continue;
        };
        path.truncate(depth);
        path.push(name);
        if FORBIDDEN.contains(&name) && found.iter().all(|(known, _)| *known != name) {
            found.push((name, path.join(" -> ")));
        }
    }
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::forbidden_paths;

    #[test]
    fn forbidden_crates_are_found_once_with_the_way_to_them() {
        let tree = "0 rampart-core v0.1.0 (somewhere)\n1 a v1.0.0\n2 b v2.0.0\n3 tokio v1.54.1\n\
                    1 c v1.0.0\n2 tokio v1.54.1 (*)\n1 serde v1.0.0\n";
        assert_eq!(forbidden_paths(tree), ["rampart-core -> a -> b -> tokio"]);
    }
}
