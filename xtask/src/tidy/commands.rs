//! What README tells newcomers to type is understood.

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// `cargo run` without a package runs the program, and nothing else that is here.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = workspace.metadata(&["--no-deps"])?;
    let members = metadata["workspace_default_members"].as_array();
    let members = members.context("cargo metadata lists the default members")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let names: Vec<_> = packages
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .filter_map(|package| package["name"].as_str())
        .collect();
    let problem = format!("`cargo run` means {}: set default-members in Cargo.toml", names.join(", "));
    Ok(if names == ["rampart"] { Vec::new() } else { vec![problem] })
}
