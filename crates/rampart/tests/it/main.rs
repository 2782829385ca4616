//! The program as its users run it: a process, its command line, its file, its death.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails, in its helpers too")]

mod certificates;
mod command_line;
mod crash;
mod deploy;
mod keys;
mod leader;
mod load;
mod operation;
mod org;
mod program;
mod serve;
mod standby;
mod traces;
mod transfer;
mod waiting;
