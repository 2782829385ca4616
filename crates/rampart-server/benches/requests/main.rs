//! How fast rampart answers on this machine: a program that prints figures, not a test that judges them.
//!
//! In one run, round after round: an echo on the server's own HTTP stack, signed reads, signed durable creates, and
//! the storage layer alone writing what the creates write. Figures of one run can be compared with each other and with
//! nothing else, so the ratios between them are what counts. Then how long the release binary takes to start, and how
//! much memory it holds.
//!
//! The server runs as `rampart serve` runs it: tokio's multi-thread runtime and mimalloc. The load generator is one
//! thread of this process with a single-threaded runtime, raw TCP and requests signed beforehand; each connection has
//! one request in flight. It shares the machine's cores with the server: what it uses is missing there, in the echo as
//! in all else.

mod options;
mod phases;
mod report;
mod start;
mod storage;

use std::io::Write;

use clap::Parser;

use crate::options::{Format, Options, Part};
use crate::phases::Phase;
use crate::report::{Measured, Report};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let phases = Phase::chosen(&options);
    let mut measured: Vec<_> = phases.iter().map(|phase| Measured::new(*phase)).collect();
    for round in 1..=options.rounds {
        for measured in &mut measured {
            progress(&format!("round {round} of {}: {}", options.rounds, measured.phase))?;
            measured.samples.push(measured.phase.run(&options)?);
        }
    }
    let start = if options.runs(Part::Start) {
        progress("starting the release binary")?;
        Some(start::measure(&options)?)
    } else {
        None
    };
    let report = Report::new(&options, &measured, start);
    let text = match options.output {
        Format::Text => report.to_string(),
        Format::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Says on standard error what is being done.
fn progress(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{what}")
}
