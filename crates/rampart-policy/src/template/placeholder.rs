//! `@{name}` in a text.

use std::collections::BTreeMap;

use crate::document::{Condition, Fault};

const NAME_LEN_MAX: usize = 128;

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

/// How a placeholder is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Use {
    /// Somewhere it is a part of a key or of a longer value, where a list cannot stand.
    pub(super) is_part: bool,
}

/// Whether a text has placeholders.
pub(super) fn is_open(text: &str) -> Result<bool, Fault> {
    Ok(split(text)?.iter().any(|part| matches!(part, Part::Placeholder(_))))
}

/// A text as the stretches that it is made of.
pub(super) fn split(text: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("@{") {
        let (before, after) = rest.split_at(at);
        let end = after.find('}').ok_or(Fault::InvalidPlaceholder)?;
        let name = &after[2..end];
        if !is_name(name) {
            return Err(Fault::InvalidPlaceholder);
        }
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        parts.push(Part::Placeholder(name));
        rest = &after[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// AWS: which letters a parameter's name may have is not published.
pub(super) fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(is_letter)
}

/// The placeholders of a condition whose texts have been checked.
pub(super) fn uses(condition: &Condition) -> BTreeMap<String, Use> {
    let mut uses: BTreeMap<String, Use> = BTreeMap::new();
    let mut note = |text: &str, is_key: bool| {
        let parts = split(text).unwrap_or_default();
        for part in &parts {
            if let Part::Placeholder(name) = part {
                uses.entry((*name).to_owned()).or_default().is_part |= is_key || parts.len() > 1;
            }
        }
    };
    for (key, values) in condition.values().flatten() {
        note(key, true);
        for value in values {
            note(value, false);
        }
    }
    uses
}
