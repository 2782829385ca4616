//! The parts of the test suite: what each runs, with which tools in its environment.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::count::Counts;
use crate::tools::{PG_BIN, TestTools};
use crate::workspace::Workspace;
use crate::{process, terminal, tidy, tools};

/// One part of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Tidy,
    Lint,
    Unit,
    Integration,
    Model,
    Clients,
}

impl Part {
    /// In the order in which they run: what is quick to fail comes first.
    pub(super) const ALL: [Self; 6] =
        [Self::Tidy, Self::Lint, Self::Unit, Self::Integration, Self::Model, Self::Clients];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tidy => "tidy",
            Self::Lint => "lint",
            Self::Unit => "unit",
            Self::Integration => "integration",
            Self::Model => "model",
            Self::Clients => "clients",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Tidy => "what needs no compiler: layering, file sizes, links, leftovers",
            Self::Lint => "rustfmt, and clippy with warnings as errors",
            Self::Unit => "the tests beside the code, and in the documentation; need nothing but Rust",
            Self::Integration => "the test binaries of the crates (`tests/it`), on SQLite and PostgreSQL",
            Self::Model => "random sequences of calls against a reference model, on SQLite and PostgreSQL",
            Self::Clients => "the real boto3 and AWS CLI against the real binary, on SQLite and PostgreSQL",
        }
    }

    pub(super) fn run(self, workspace: &Workspace, extra: &[String], cases: Option<u64>) -> Result<Counts> {
        match self {
            Self::Tidy => {
                refuse(self, extra)?;
                let (passed, failed) = tidy::check(workspace)?;
                Ok(Counts { passed, failed, skipped: 0 })
            }
            Self::Lint => {
                refuse(self, extra)?;
                lint(workspace)
            }
            Self::Unit => unit(workspace, extra),
            Self::Integration => integration(workspace, extra),
            Self::Model => model(workspace, extra, cases),
            Self::Clients => clients(workspace, extra),
        }
    }
}

fn refuse(part: Part, extra: &[String]) -> Result<()> {
    if !extra.is_empty() {
        bail!("the part `{}` takes no arguments", part.name());
    }
    Ok(())
}

fn lint(workspace: &Workspace) -> Result<Counts> {
    let formatted = process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    let fuzz_formatted = process::run(workspace.cargo().args(fuzz))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    let clean = process::run(workspace.cargo().args(clippy))?;
    let mut counts = Counts::of_one(formatted.success());
    counts += Counts::of_one(fuzz_formatted.success());
    counts += Counts::of_one(clean.success());
    Ok(counts)
}

fn unit(workspace: &Workspace, extra: &[String]) -> Result<Counts> {
    let mut counts = cargo_test(workspace.cargo().args(["test", "--workspace", "--lib", "--bins"]), extra)?;
    counts += cargo_test(workspace.cargo().args(["test", "--workspace", "--doc"]), extra)?;
    Ok(counts)
}

fn integration(workspace: &Workspace, extra: &[String]) -> Result<Counts> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--workspace", "--test", "it"]);
    name_postgres(&mut cargo, workspace)?;
    cargo_test(&mut cargo, extra)
}

fn model(workspace: &Workspace, extra: &[String], cases: Option<u64>) -> Result<Counts> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "rampart-server", "--test", "model"]);
    if let Some(cases) = cases {
        cargo.env("RAMPART_MODEL_CASES", cases.to_string());
    }
    name_postgres(&mut cargo, workspace)?;
    cargo_test(&mut cargo, extra)
}

/// Tells tests which PostgreSQL to use.
fn name_postgres(cargo: &mut Command, workspace: &Workspace) -> Result<()> {
    match tools::postgres_programs(workspace) {
        Ok(postgres) => {
            println!("PostgreSQL: {}", postgres.display());
            cargo.env(PG_BIN, postgres);
        }
        Err(error) if tools::postgres_is_chosen() => return Err(error),
        // Without Python there may still be a PostgreSQL; the tests look for it, and say so if there is none.
        Err(error) => println!("PostgreSQL: whatever the system has, since {error:#}"),
    }
    Ok(())
}

fn cargo_test(cargo: &mut Command, extra: &[String]) -> Result<Counts> {
    cargo.args(["--no-fail-fast", "--"]);
    if terminal::is_interactive() {
        // libtest sees our pipe, not the terminal behind it.
        cargo.args(["--color", "always"]);
    }
    cargo.args(extra);
    let mut counts = Counts::default();
    let status = process::run_watched(cargo, |line| counts.add_libtest_line(line))?;
    Ok(counts.with_exit(status.success()))
}

fn clients(workspace: &Workspace, extra: &[String]) -> Result<Counts> {
    let tools = TestTools::ensure(workspace)?;
    let postgres = tools::postgres_programs(workspace)?;
    println!("PostgreSQL: {}", postgres.display());
    let rampart = build_rampart(workspace)?;
    let directory = workspace.tools_directory();
    let report = directory.join("clients.xml");
    // A report of the last run must not pass for this one's.
    let _ = std::fs::remove_file(&report);

    let mut pytest = Command::new(tools.python());
    pytest
        .current_dir(workspace.root.join("tests/clients"))
        .args(["-m", "pytest", "--junitxml"])
        .arg(&report)
        .arg("-o")
        .arg(format!("cache_dir={}", directory.join("pytest-cache").display()))
        .args(extra)
        .env("RAMPART_BIN", rampart)
        .env(PG_BIN, postgres)
        // Next to the sources they would be one more thing to ignore.
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let status = process::run(&mut pytest)?;
    let report = std::fs::read_to_string(&report).context("pytest ended without a report")?;
    Ok(Counts::from_junit(&report)?.with_exit(status.success()))
}

/// Builds the program as a user would have it in development, and says where it is.
fn build_rampart(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo
        .args(["build", "--package", "rampart", "--bin", "rampart"])
        .arg("--message-format=json-render-diagnostics");
    let messages = process::capture(&mut cargo).context("rampart does not build")?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .context("cargo built rampart but did not say where it is")
}
