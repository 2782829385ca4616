//! `rampart catalog`: what can be shared, and which of it is known for sure.

use rampart_core::catalog::{Catalog, ManagedPermission, ResourceType};
use serde::Serialize;

use crate::cli::OutputFormat;
use crate::config::Config;
use crate::output;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TypeLine<'c> {
    resource_type: &'c str,
    region_scope: &'static str,
    /// What is attached when a share gets a resource of the type and has no permission for it.
    default_permission: Option<&'c str>,
    permissions: Vec<PermissionLine<'c>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionLine<'c> {
    name: &'c str,
    version: u32,
    /// If not documented, the actions are inferred.
    documented: bool,
}

/// Prints the catalog in force; an operator's file that is wrong is refused as at a server's start.
pub(crate) fn print(config: &Config, format: OutputFormat) -> anyhow::Result<()> {
    let catalog = config.catalog()?;
    let lines: Vec<_> = catalog.types().iter().map(|entry| TypeLine::new(catalog, entry)).collect();
    let head = format!("{:<40}{:<10}{:<12}{}\n", "RESOURCE TYPE", "SCOPE", "ACTIONS", "PERMISSION");
    let words: String = std::iter::once(head).chain(lines.iter().map(TypeLine::words)).collect();
    output::value(format, &lines, &words)
}

impl<'c> TypeLine<'c> {
    fn new(catalog: &'c Catalog, entry: &'c ResourceType) -> Self {
        let line = |permission: &'c ManagedPermission| PermissionLine {
            name: &permission.name,
            version: permission.default_version(),
            documented: permission.is_documented(),
        };
        let of_type = |permission: &&ManagedPermission| permission.resource_type == entry.name;
        Self {
            resource_type: &entry.name,
            region_scope: entry.region_scope.as_str(),
            default_permission: catalog.default_permission(&entry.name).map(|default| default.name.as_str()),
            permissions: catalog.permissions().iter().filter(of_type).map(line).collect(),
        }
    }

    fn words(&self) -> String {
        let row = |actions: &str, permission: &str| {
            format!("{:<40}{:<10}{actions:<12}{permission}\n", self.resource_type, self.region_scope)
        };
        if self.permissions.is_empty() {
            return row("unknown", "-");
        }
        let of_permission = |permission: &PermissionLine<'_>| {
            let default = if self.default_permission == Some(permission.name) { " (default)" } else { "" };
            let actions = if permission.documented { "documented" } else { "inferred" };
            row(actions, &format!("{}{default}", permission.name))
        };
        self.permissions.iter().map(of_permission).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_the_permissions_that_are_documented_and_the_types_without_one() {
        let readme = include_str!("../../../README.md");
        let (_, section) = readme.split_once("<!-- catalog: kept true by a test -->").unwrap();
        let (section, _) = section.split_once("<!-- /catalog -->").unwrap();
        let named: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
        let catalog = Catalog::embedded();
        let documented = catalog.permissions().iter().filter(|permission| permission.is_documented());
        let bare = catalog.types().iter().filter(|entry| catalog.default_permission(&entry.name).is_none());
        let expected = documented.map(|permission| &permission.name).chain(bare.map(|entry| &entry.name));
        assert_eq!(named, expected.collect::<Vec<_>>());
    }
}
