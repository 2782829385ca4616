//! A file tells one story: long ones are taken apart.

use super::TextFile;

/// Refused above this.
const LINES_MAX: usize = 800;
/// Listed above this.
const LINES_QUESTION: usize = 400;

pub(super) fn check(files: &[TextFile]) -> Vec<String> {
    longer_than(files, LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines, and {LINES_MAX} is the most"))
        .collect()
}

/// Files to think about.
pub(super) fn notes(files: &[TextFile]) -> Vec<String> {
    longer_than(files, LINES_QUESTION)
        .map(|(path, lines)| {
            format!("{path}: {lines} lines; above {LINES_QUESTION} ask whether it is two stories")
        })
        .collect()
}

fn longer_than(files: &[TextFile], limit: usize) -> impl Iterator<Item = (&str, usize)> {
    files
        .iter()
        .filter(|file| file.has_extension("rs"))
        .map(|file| (file.path.as_str(), file.text.lines().count()))
        .filter(move |(_, lines)| *lines > limit)
}
