//! What is printed: results on standard output, errors on standard error.

use std::error::Error;
use std::io::Write;

use rampart_server::operations::Operation;
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
    let _ = writeln!(std::io::stderr(), "rampart: {}", with_causes(error.as_ref()));
}

/// An error with what caused it, each once: many an error ends with the words of its cause.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let (mut words, mut next) = (error.to_string(), error.source());
    while let Some(cause) = next {
        let said = cause.to_string();
        if !words.ends_with(&said) {
            words = format!("{words}: {said}");
        }
        next = cause.source();
    }
    words
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OperationLine {
    service: &'static str,
    operation: &'static str,
    method: &'static str,
    path: String,
    works: bool,
    client_token: bool,
    paged: bool,
    errors: Vec<String>,
}

/// The table of all services' operations.
pub(crate) fn operations(format: OutputFormat) -> anyhow::Result<()> {
    let lines: Vec<_> = Operation::all()
        .map(|operation| OperationLine {
            service: operation.service.name(),
            operation: operation.name,
            method: operation.method,
            path: operation.path(),
            works: operation.is_built(),
            client_token: operation.client_token,
            paged: operation.paged,
            errors: operation.codes().collect(),
        })
        .collect();
    let row = |service: &str, operation: &str, state: &str| format!("{service:<15}{operation:<42}{state}\n");
    let words: String = std::iter::once(row("SERVICE", "OPERATION", "STATE"))
        .chain(lines.iter().map(|line| row(line.service, line.operation, state(line.works))))
        .collect();
    value(format, &lines, &words)
}

fn state(works: bool) -> &'static str {
    if works { "works" } else { "not yet" }
}

#[cfg(test)]
mod tests {
    use rampart_server::operations::Service;

    use super::*;

    const README: &str = include_str!("../../../README.md");

    /// What README has between two marks.
    fn marked(mark: &str) -> &'static str {
        let (_, rest) = README.split_once(&format!("<!-- {mark}: kept true by a test -->\n")).unwrap();
        rest.split_once(&format!("<!-- /{mark} -->")).unwrap().0
    }

    #[test]
    fn the_readme_tells_the_truth_about_every_operation_of_ram() {
        let row =
            |operation: &Operation| format!("| {} | {} |\n", operation.name, state(operation.is_built()));
        let expected: String = Service::Ram.operations().iter().map(row).collect();
        assert_eq!(marked("operations"), format!("| operation | state |\n| --- | --- |\n{expected}"));
    }

    #[test]
    fn the_readme_tells_the_truth_about_the_other_services() {
        let row = |service: Service| {
            let built = service.operations().iter().filter(|operation| operation.is_built());
            let names: Vec<_> = built.map(|operation| operation.name).collect();
            let names = if names.is_empty() { "nothing yet".to_owned() } else { names.join(", ") };
            format!("| {} | {names} |\n", service.name())
        };
        let others = Service::ALL.into_iter().filter(|service| *service != Service::Ram);
        let expected: String = others.map(row).collect();
        assert_eq!(
            marked("services"),
            format!("| service | operations that work |\n| --- | --- |\n{expected}")
        );
    }
}
