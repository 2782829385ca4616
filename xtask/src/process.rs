//! Running other programs: showing what is run, and passing on its output while it comes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::terminal;

/// Runs a program with its output going where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus> {
    announce(command);
    let name = program_name(command);
    command.status().with_context(|| format!("could not run {name}"))
}

/// Runs a program, passes its standard output on line by line, and lets `watch` see each line.
pub(crate) fn run_watched(command: &mut Command, mut watch: impl FnMut(&str)) -> Result<ExitStatus> {
    announce(command);
    let name = program_name(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not run {name}"))?;
    let output = child.stdout.take().context("its standard output was asked for")?;
    for line in BufReader::new(output).split(b'\n') {
        let line = line.with_context(|| format!("could not read what {name} prints"))?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        watch(&line);
    }
    child.wait().with_context(|| format!("could not wait for {name}"))
}

/// Runs a program for its standard output; what it says on standard error is shown.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let name = program_name(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("could not run {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed something else than text"))
}

fn announce(command: &Command) {
    let mut line = format!("$ {}", program_name(command));
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    println!("{}", terminal::bold(&line));
    // The program writes to the same place without passing through our buffer.
    let _ = std::io::stdout().flush();
}

fn program_name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}
