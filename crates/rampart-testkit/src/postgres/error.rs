//! What can go wrong with a test cluster, in words that say what to do.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::{fmt, io};

/// Why there is no PostgreSQL for this test.
#[derive(thiserror::Error)]
pub enum PostgresError {
    /// No server programs anywhere.
    #[error(
        "no PostgreSQL server programs on this machine: run the tests through `cargo xtask test`, which fetches them, \
         or set RAMPART_TEST_PG_BIN to the directory with initdb, postgres, pg_ctl and psql"
    )]
    NotInstalled,
    /// The directory that was asked for is no PostgreSQL installation.
    #[error("RAMPART_TEST_PG_BIN is {}, which has no {missing}", directory.display())]
    Incomplete {
        /// What the variable says.
        directory: PathBuf,
        /// The first program that is not there.
        missing: &'static str,
    },
    /// The directory for temporary files has too long a name for a Unix socket in it.
    #[error("{} is too long a path for Unix sockets: set TMPDIR to a shorter one", directory.display())]
    SocketPathTooLong {
        /// The directory for temporary files.
        directory: PathBuf,
    },
    /// The file system or the process table refused.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed ({status}):\n{output}")]
    Program {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        output: String,
    },
}

/// `unwrap` prints this, and tests unwrap: so it is the sentence.
impl fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PostgresError {
    /// For `map_err`: what was being done, and with which file.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// The same failure with more of what was said.
    pub(super) fn with_output(self, more: &str) -> Self {
        match self {
            Self::Program { program, status, output } => {
                Self::Program { program, status, output: format!("{output}\n{more}") }
            }
            other => other,
        }
    }
}

/// Runs a program to its end and returns its standard output; a failure carries both outputs.
pub(super) fn run(command: &mut Command) -> Result<String, PostgresError> {
    let program = PathBuf::from(command.get_program());
    let output = command.stdin(Stdio::null()).output().map_err(PostgresError::io("run", &program))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(PostgresError::Program {
        program: program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned(),
        status: output.status,
        output: format!("{stdout}{stderr}"),
    })
}
