//! `cargo xtask tidy`: rules of the repository that a compiler does not know.

mod commands;
mod files;
mod layering;
mod links;
mod size;
mod wording;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::terminal;
use crate::workspace::Workspace;
use files::TextFile;

/// Runs every check; success means that none found anything.
pub(crate) fn command(arguments: &[String]) -> Result<ExitCode> {
    if let Some(argument) = arguments.first() {
        bail!("tidy takes no arguments, and was given `{argument}`");
    }
    let (_, failed) = check(&Workspace::locate()?)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs every check, prints what it found, and returns how many checks passed and failed.
pub(crate) fn check(workspace: &Workspace) -> Result<(u32, u32)> {
    let files = files::read_all(workspace)?;
    let checks: [(&str, Vec<String>); 6] = [
        (
            "layering: pure crates depend on no runtime, network, database or clock",
            layering::check(workspace)?,
        ),
        ("commands: `cargo run` runs the program", commands::check(workspace)?),
        ("size: no Rust file is longer than it may be", size::check(&files)),
        ("links: what Markdown points to is there", links::check(&files, &workspace.root)),
        ("leftovers: no unfinished, silenced or debugging code", wording::leftovers(&files)),
        ("paths: nothing names a directory of somebody's machine", wording::machine_paths(&files)),
    ];
    let (mut passed, mut failed) = (0, 0);
    for (what, problems) in checks {
        if problems.is_empty() {
            passed += 1;
            println!("{} {what}", terminal::green("ok    "));
        } else {
            failed += 1;
            println!("{} {what}", terminal::red("failed"));
            for problem in problems {
                println!("         {problem}");
            }
        }
    }
    for note in size::notes(&files) {
        println!("note   {note}");
    }
    Ok((passed, failed))
}
