//! What is printed: results on standard output, errors on standard error.

use std::io::Write;

use rampart_server::operations::RAM;
use serde::Serialize;

use crate::cli::OutputFormat;

/// Prints text as it is. A reader that closed the pipe has seen enough.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a value, as JSON or in words.
pub(crate) fn value(format: OutputFormat, value: &impl Serialize, words: &str) -> anyhow::Result<()> {
    match format {
        OutputFormat::Json => text(&(serde_json::to_string_pretty(value)? + "\n")),
        OutputFormat::Text => text(words),
    }
}

/// Prints an error with its causes.
pub(crate) fn error(error: &anyhow::Error) {
    // Nothing is left to do when even this cannot be written.
    let _ = writeln!(std::io::stderr(), "rampart: {error:#}");
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OperationLine {
    operation: &'static str,
    method: &'static str,
    path: String,
    works: bool,
    client_token: bool,
    paged: bool,
    errors: Vec<String>,
}

/// The table of RAM's operations.
pub(crate) fn operations(format: OutputFormat) -> anyhow::Result<()> {
    let lines: Vec<_> = RAM
        .iter()
        .map(|operation| OperationLine {
            operation: operation.name,
            method: operation.method,
            path: operation.path(),
            works: operation.is_built(),
            client_token: operation.client_token,
            paged: operation.paged,
            errors: operation.errors.iter().map(|name| format!("{name}Exception")).collect(),
        })
        .collect();
    let row = |line: &OperationLine| {
        format!("{:<42}{}\n", line.operation, if line.works { "works" } else { "not yet" })
    };
    let words: String =
        std::iter::once(format!("{:<42}{}\n", "OPERATION", "STATE")).chain(lines.iter().map(row)).collect();
    value(format, &lines, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_tells_the_truth_about_every_operation() {
        let readme = include_str!("../../../README.md");
        let (_, table) = readme.split_once("<!-- operations: kept true by a test -->\n").unwrap();
        let (table, _) = table.split_once("<!-- /operations -->").unwrap();
        let state = |works| if works { "works" } else { "not yet" };
        let row = |operation: &rampart_server::operations::Operation| {
            format!("| {} | {} |\n", operation.name, state(operation.is_built()))
        };
        let expected: String = RAM.iter().map(row).collect();
        assert_eq!(table, format!("| operation | state |\n| --- | --- |\n{expected}"));
    }
}
