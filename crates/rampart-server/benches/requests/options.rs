//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::{Parser, ValueEnum};
use rampart_store::{Location, Options as StoreOptions};

/// Measures rampart's requests on this machine.
#[derive(Parser)]
#[command(name = "requests", about)]
pub(crate) struct Options {
    /// How often every phase runs.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long a phase is measured each time, after half a second that is not.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// On how many connections; the goals speak of 1 and of the most.
    #[arg(long, value_delimiter = ',', default_value = "1,64",
        value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) connections: Vec<u32>,
    /// Where the durable phases write: `sqlite` (a file under the target directory), `sqlite:DIRECTORY`, or
    /// `postgres://…`, a database of its own, in which rows are left.
    #[arg(long, default_value = "sqlite")]
    pub(crate) store: String,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// How to print.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: Format,
    /// The binary whose start is measured; target/release/rampart when not given.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Cargo passes this to every benchmark; it says nothing here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Echo,
    Reads,
    Creates,
    Storage,
    Start,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Cargo's directory for what benchmarks write. It is on the disk that the build is on.
const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

impl Options {
    pub(crate) fn runs(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn duration(&self) -> anyhow::Result<Duration> {
        match Duration::try_from_secs_f64(self.seconds) {
            Ok(duration) if duration <= Duration::from_mins(4) => Ok(duration),
            _ => bail!("--seconds is between 0 and 240: what is signed is good for five minutes"),
        }
    }

    /// A place for the store of one phase.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        match self.store.split_once(':') {
            None if self.store == "sqlite" => Place::scratch(Path::new(SCRATCH)),
            Some(("sqlite", directory)) => Place::scratch(Path::new(directory)),
            _ => Ok(Place { location: self.store.parse()?, directory: None }),
        }
    }

    /// The release binary.
    pub(crate) fn binary(&self) -> PathBuf {
        let built = || Path::new(SCRATCH).parent().unwrap_or(Path::new("target")).join("release/rampart");
        self.binary.clone().unwrap_or_else(built)
    }
}

/// A store of its own, that is gone afterwards where it is a file.
pub(crate) struct Place {
    pub(crate) location: Location,
    directory: Option<PathBuf>,
}

impl Place {
    pub(crate) fn scratch(parent: &Path) -> anyhow::Result<Self> {
        let directory =
            parent.join(format!("requests-{}", uuid::Builder::from_random_bytes(random()).as_uuid()));
        std::fs::create_dir_all(&directory)?;
        Ok(Self { location: Location::Sqlite(directory.join("rampart.db")), directory: Some(directory) })
    }

    /// A scratch place under the target directory, whatever `--store` says.
    pub(crate) fn default_scratch() -> anyhow::Result<Self> {
        Self::scratch(Path::new(SCRATCH))
    }

    pub(crate) fn options() -> StoreOptions {
        StoreOptions::default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            // What cannot be removed stays in the target directory.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rampart_server::Entropy::system().fill(&mut bytes);
    bytes
}
