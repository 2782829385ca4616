//! The tags of a file.

use std::collections::BTreeMap;

use super::{PlanFault, Snapshot, Step};
use crate::organization::tags::{check_number, check_tags};
use crate::resource_share::Tag;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// What makes the tags of a resource what the file says; with `prune`, all others go.
pub(super) fn step(
    resource: &str,
    wanted: &Tags,
    snapshot: &Snapshot,
    prune: bool,
) -> Result<Option<Step>, PlanFault> {
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    let fault = |_| PlanFault::Tags(resource.to_owned());
    check_tags(wanted.iter().map(tag).collect()).map_err(fault)?;
    let none = Tags::new();
    let has = snapshot.tags.get(resource).unwrap_or(&none);
    let added: Vec<Tag> =
        wanted.iter().filter(|(key, value)| has.get(*key) != Some(value)).map(tag).collect();
    let removed: Vec<String> =
        has.keys().filter(|key| prune && !wanted.contains_key(*key)).cloned().collect();
    let kept = has.keys().filter(|key| !wanted.contains_key(*key)).count() - removed.len();
    check_number(kept + wanted.len()).map_err(fault)?;
    let changes = !added.is_empty() || !removed.is_empty();
    Ok(changes.then(|| Step::Tag { resource: resource.to_owned(), added, removed }))
}
