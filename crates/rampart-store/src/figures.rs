//! What an operator may know of a store that runs: how its writes end, what waits, how its connections are used.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Abort;

/// A reading of a store's figures. The counts only rise for as long as the store is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Writes that were answered: what they changed is durable.
    pub answered: u64,
    /// Writes that the rules refused.
    pub refused: u64,
    /// Writes that were given up because the store is unavailable, overloaded or contended.
    pub unavailable: u64,
    /// Writes that failed by a bug or by corruption.
    pub failed: u64,
    /// Attempts that were made anew, after meeting other writers or losing a connection.
    pub retried: u64,
    /// What is particular to the engine.
    pub engine: EngineFigures,
}

/// What waits and what is in use, by engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFigures {
    /// The embedded engine.
    Sqlite {
        /// Writes that wait for the writer.
        queued: usize,
    },
    /// A server.
    Postgres {
        /// Writes that wait for their turn in their partition.
        queued: usize,
        /// Connections that are in use.
        in_use: usize,
        /// Connections that are open and idle.
        idle: usize,
        /// How many there may be.
        max: usize,
        /// Requests that wait for one.
        waiting: usize,
    },
}

/// The counts, as they grow.
#[derive(Default)]
pub(crate) struct Counts {
    answered: AtomicU64,
    refused: AtomicU64,
    unavailable: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
}

impl Counts {
    /// Counts how a write ended.
    pub(crate) fn ended<T>(&self, outcome: &Result<T, Abort>) {
        let count = match outcome {
            Ok(_) => &self.answered,
            Err(Abort::Refused(_)) => &self.refused,
            Err(Abort::Store(error)) if error.is_unavailable() => &self.unavailable,
            Err(Abort::Store(_)) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an attempt that follows another.
    pub(crate) fn retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, engine: EngineFigures) -> Figures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Figures {
            answered: read(&self.answered),
            refused: read(&self.refused),
            unavailable: read(&self.unavailable),
            failed: read(&self.failed),
            retried: read(&self.retried),
            engine,
        }
    }
}
