//! `cargo xtask`: tests, benchmarks and checks of the repository, with all the set-up that they need.
//!
//! Nothing here knows rampart's code; it runs programs and counts what they report.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks to its user")]

mod fuzz;
mod process;
mod terminal;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use workspace::Workspace;

const HELP: &str = "\
Automation for rampart.

Usage: cargo xtask <COMMAND>

Commands:
  test [PART]... [-- ARGUMENTS]   Run tests, all of them or the named parts (`cargo xtask test --help`)
  tidy                            Check what needs no compiler: layering, file sizes, links, leftovers
  bench [requests] [ARGUMENTS]    What a request costs, beside a bare echo on the same edge
  bench scale [ARGUMENTS]         What operations cost in a store that holds much else (some minutes)
  bench nodes [ARGUMENTS]         Two nodes on one PostgreSQL: how late a follower is, two beside one, a soak
  bench commits [ARGUMENTS]       Writes that PostgreSQL commits together, beside each by itself
  fuzz [OPTIONS]                  Fuzz the parsers and decoders, each for minutes (`cargo xtask fuzz --help`)
  help                            Print this

Examples:
  cargo xtask test                       everything; this is what CI runs
  cargo xtask test unit                  quick: needs nothing but Rust
  cargo xtask test model --cases 20000   more random sequences than CI runs
  cargo xtask test clients -- -k story   only the client tests whose name contains `story`
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::from(2));
    };
    match command.as_str() {
        "test" => test::command(rest),
        "tidy" => tidy::command(rest),
        "bench" => bench(rest),
        "fuzz" => fuzz::command(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => anyhow::bail!("no command `{unknown}`\n\n{HELP}"),
    }
}

/// Everything after the benchmark's name goes to it, `--help` included.
fn bench(arguments: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) if matches!(name.as_str(), "requests" | "scale" | "nodes" | "commits") => {
            (name.as_str(), rest)
        }
        _ => ("requests", arguments),
    };
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "-p", "rampart-server", "--bench", name, "--"]).args(rest);
    if name == "nodes" {
        process::run(workspace.cargo().args(["build", "--release", "-p", "rampart"]))?;
    }
    // These start PostgreSQL, if it can be found or set up.
    if name != "requests" {
        cargo.env(tools::PG_BIN, tools::postgres_programs(&workspace)?);
    }
    let status = process::run(&mut cargo)?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
