//! Where an entry of a catalog file stands, and what is in it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::CatalogError;
use super::check::CatalogFault;

/// An entry in the text of its file.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    pub(super) file: &'t str,
    pub(super) entry: &'t str,
}

impl Place<'_> {
    /// An error at what a path leads to, such as `versions.0.actions`: as far as the entry has it.
    pub(super) fn fault(self, path: &str, fault: CatalogFault) -> CatalogError {
        let mut at = self.entry;
        for step in path.split('.') {
            let Some(found) = child(at, step) else { break };
            at = found;
        }
        // Both are slices of the file.
        let offset = (at.as_ptr() as usize).saturating_sub(self.file.as_ptr() as usize);
        let before = self.file.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        CatalogError { line: before.matches('\n').count() + 1, column: offset - line_start + 1, fault }
    }
}

/// The member of an object, or the item of an array with that number.
fn child<'t>(text: &'t str, step: &str) -> Option<&'t str> {
    let found: &RawValue = match step.parse::<usize>() {
        Ok(number) => serde_json::from_str::<Vec<&RawValue>>(text).ok()?.get(number)?,
        Err(_) => serde_json::from_str::<BTreeMap<String, &RawValue>>(text).ok()?.get(step)?,
    };
    Some(found.get())
}
