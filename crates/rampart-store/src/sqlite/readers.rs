//! The reading connections, with a snapshot each.
//!
//! To open and to end a snapshot costs SQLite more than a point read does. So a reader that comes back keeps its
//! snapshot open for the next one, for as long as nothing is committed, and for [`SNAPSHOT_AGE_MAX`] at the most: that
//! late may a write of another process be seen, such as a key command's; a write of this process is seen at once.
//!
//! Around each commit no reader that idles has a snapshot: one would keep the write-ahead log from starting anew.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

use super::{Shared, connect, lock, run_cached};
use crate::StoreError;

const SNAPSHOT_AGE_MAX: Duration = Duration::from_millis(2);

/// The pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Readers {
    path: Arc<PathBuf>,
    pool: Arc<Mutex<Pool>>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Idle>,
    /// Moves at the beginning and at the end of each commit: odd while one is under way.
    epoch: u64,
}

struct Idle {
    connection: Shared,
    snapshot: Option<Snapshot>,
}

/// When a snapshot was opened.
#[derive(Clone, Copy)]
struct Snapshot {
    epoch: u64,
    opened: Instant,
}

impl Snapshot {
    /// Whether the next reader may have it.
    fn is_good(&self, pool: &Pool) -> bool {
        self.epoch == pool.epoch && pool.epoch.is_multiple_of(2) && self.opened.elapsed() < SNAPSHOT_AGE_MAX
    }
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), pool: Arc::default() }
    }

    /// A connection with a snapshot of what is committed.
    pub(crate) fn lease(&self) -> Result<ReadLease, StoreError> {
        let (idle, epoch) = {
            let mut pool = lock(&self.pool);
            let idle = pool.idle.pop();
            if let Some(Idle { connection, snapshot: Some(snapshot) }) = &idle
                && snapshot.is_good(&pool)
            {
                return Ok(self.lent(Arc::clone(connection), *snapshot));
            }
            (idle, pool.epoch)
        };
        let connection = match idle {
            Some(Idle { connection, snapshot }) => {
                if snapshot.is_some() {
                    run_cached(&lock(&connection), "COMMIT")?;
                }
                connection
            }
            None => Arc::new(Mutex::new(connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)),
        };
        run_cached(&lock(&connection), "BEGIN")?;
        Ok(self.lent(connection, Snapshot { epoch, opened: Instant::now() }))
    }

    fn lent(&self, connection: Shared, snapshot: Snapshot) -> ReadLease {
        ReadLease { connection: Some(connection), snapshot, pool: Arc::clone(&self.pool) }
    }

    /// Runs the commit of a write. Whoever reads after it sees it.
    pub(crate) fn while_committing<T>(&self, commit: impl FnOnce() -> T) -> T {
        {
            let mut pool = lock(&self.pool);
            pool.epoch += 1;
            // A connection whose snapshot cannot be ended is not used again.
            pool.idle.retain_mut(|idle| {
                idle.snapshot.take().is_none() || run_cached(&lock(&idle.connection), "COMMIT").is_ok()
            });
        }
        let outcome = commit();
        lock(&self.pool).epoch += 1;
        outcome
    }
}

/// A connection out of the pool, with its snapshot.
pub(crate) struct ReadLease {
    connection: Option<Shared>,
    snapshot: Snapshot,
    pool: Arc<Mutex<Pool>>,
}

impl ReadLease {
    pub(crate) fn connection(&self) -> Shared {
        Arc::clone(self.connection.as_ref().expect("present until the lease is dropped"))
    }
}

impl Drop for ReadLease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // A query that failed may have ended the transaction.
        let is_open = !lock(&connection).is_autocommit();
        let mut pool = lock(&self.pool);
        if is_open && self.snapshot.is_good(&pool) {
            pool.idle.push(Idle { connection, snapshot: Some(self.snapshot) });
            return;
        }
        drop(pool);
        // A connection whose snapshot cannot be ended is not used again.
        if !is_open || run_cached(&lock(&connection), "COMMIT").is_ok() {
            lock(&self.pool).idle.push(Idle { connection, snapshot: None });
        }
    }
}
