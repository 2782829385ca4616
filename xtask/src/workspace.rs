//! Where things are in this checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The checkout that this program was built from.
pub(crate) struct Workspace {
    /// The directory with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever the user has put it.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in a directory of the workspace")?
            .to_owned();
        let mut workspace = Self { target: root.join("target"), root };
        let metadata = workspace.metadata(&["--no-deps"])?;
        let target =
            metadata["target_directory"].as_str().context("cargo metadata names the target directory")?;
        workspace.target = PathBuf::from(target);
        Ok(workspace)
    }

    /// Cargo, the one that runs us, in the root of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }

    pub(crate) fn metadata(&self, arguments: &[&str]) -> Result<Value> {
        let mut cargo = self.cargo();
        cargo.args(["metadata", "--format-version", "1"]).args(arguments);
        serde_json::from_str(&process::capture(&mut cargo)?).context("cargo metadata prints JSON")
    }

    /// Where downloaded test tools live.
    pub(crate) fn tools_directory(&self) -> PathBuf {
        self.target.join("test-tools")
    }
}
