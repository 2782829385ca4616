//! The embedded engine: one writer thread that commits waiting writes together, and readers that answer inline.
//!
//! WAL with `synchronous=FULL`: an answer leaves after its commit is on disk. Reads take a connection from a pool and
//! run where they are called; a point read takes microseconds, less than handing it to another thread.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::figures::EngineFigures;
use crate::job::{Job, WorkJob};
use crate::migrations::{self, Opened};
use crate::statement::{Row, Statement, Value};
use crate::{Abort, PartitionId, Partitions, StoreError, Work};

mod readers;
mod writer;

pub(crate) use readers::ReadLease;
use readers::Readers;

/// Writes that may wait. More are refused, which a client sees as 503.
const QUEUE_MAX: usize = 4096;
/// How long another process may hold the file's write lock before we give up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection: more than the catalogue has.
const STATEMENTS_MAX: usize = 128;

pub(crate) type Shared = Arc<Mutex<Connection>>;

pub(crate) struct SqliteStore {
    readers: Readers,
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    finished: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl SqliteStore {
    pub(crate) fn open(path: &Path) -> Result<(Self, Opened), StoreError> {
        create_private(path)?;
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare_file(&connection)?;
        let writer: Shared = Arc::new(Mutex::new(connection));
        let opened = migrations::migrate_sqlite(&lock(&writer), Partitions::SQLITE)?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let (finish, finished) = oneshot::channel();
        let readers = Readers::new(path.to_owned());
        let known_readers = readers.clone();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                writer::run(&writer, &known_readers, opened.partitions, queue);
                drop(writer);
                // Nobody waits when the store was dropped without being closed.
                let _ = finish.send(());
            })
            .map_err(StoreError::unavailable)?;
        let store =
            Self { readers, jobs: Mutex::new(Some(jobs)), finished: tokio::sync::Mutex::new(Some(finished)) };
        Ok((store, opened))
    }

    /// Queues `work` for the writer and waits for its commit.
    pub(crate) async fn write<W: Work>(&self, part: PartitionId, work: W) -> Result<W::Reply, Abort> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(WorkJob::new(part, work, reply));
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or_else(|| StoreError::unavailable("it is shutting down"))?;
        jobs.try_send(job).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded { waiting: QUEUE_MAX },
            mpsc::error::TrySendError::Closed(_) => StoreError::unavailable("its writer has stopped"),
        })?;
        answer.await.map_err(|_| StoreError::unavailable("its writer has stopped"))?
    }

    /// A reading connection with a snapshot of its own.
    pub(crate) fn lease(&self) -> Result<ReadLease, StoreError> {
        self.readers.lease()
    }

    pub(crate) fn figures(&self) -> EngineFigures {
        let jobs = lock(&self.jobs);
        EngineFigures::Sqlite { queued: jobs.as_ref().map_or(0, |jobs| QUEUE_MAX - jobs.capacity()) }
    }

    pub(crate) async fn close(&self) {
        drop(lock(&self.jobs).take());
        if let Some(finished) = self.finished.lock().await.take() {
            // An error means that the writer is gone already.
            let _ = finished.await;
        }
    }
}

/// Locks; a panic elsewhere leaves nothing half-done behind that SQLite would not roll back.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file holds sealed secrets and everybody's sharing: nobody but its owner may read it.
fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(StoreError::unavailable(format!("cannot create {}: {e}", path.display()))),
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| failure("open", &e))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|e| failure("busy_timeout", &e))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A statement keeps the plan it was prepared with. Else SQLite prepares it anew whenever a LIMIT gets another value,
    // which costs ten times what the query does.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|e| failure("enable_qpsg", &e))?;
    Ok(connection)
}

fn prepare_file(connection: &Connection) -> Result<(), StoreError> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
        .map_err(|e| failure("journal_mode", &e))?;
    if mode != "wal" {
        return Err(StoreError::unavailable(format!(
            "its file system does not allow a write-ahead log ({mode})"
        )));
    }
    // The cache, in KiB: a group of writes changes more pages than fit into SQLite's two megabytes, and would write some
    // of them twice.
    run_batch(
        connection,
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384",
    )
}

/// Runs one statement without parameters and rows, prepared once per connection.
pub(crate) fn run_cached(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| failure(sql, &e);
    connection.prepare_cached(sql).map_err(failed)?.raw_execute().map_err(failed)?;
    Ok(())
}

/// Runs what is run once: settings and table definitions.
pub(crate) fn run_batch(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(|e| failure(sql, &e))
}

pub(crate) fn query<T>(
    connection: &Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let failed = |e: rusqlite::Error| failure(statement.name, &e);
    let mut prepared = connection.prepare_cached(statement.sql).map_err(failed)?;
    bind(&mut prepared, values).map_err(failed)?;
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}

pub(crate) fn execute(
    connection: &Connection,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, StoreError> {
    let failed = |e: rusqlite::Error| failure(statement.name, &e);
    let mut prepared = connection.prepare_cached(statement.sql).map_err(failed)?;
    bind(&mut prepared, values).map_err(failed)?;
    let touched = prepared.raw_execute().map_err(failed)?;
    Ok(u64::try_from(touched).expect("a count of rows fits"))
}

fn bind(prepared: &mut rusqlite::CachedStatement<'_>, values: &[Value<'_>]) -> rusqlite::Result<()> {
    for (index, value) in values.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

pub(crate) fn failure(statement: &'static str, error: &rusqlite::Error) -> StoreError {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::unavailable("another process holds its write lock")
        }
        Some(ErrorCode::NotADatabase) => StoreError::unavailable("the file is no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => StoreError::Corrupt { what: reason },
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Unavailable { reason },
        _ => StoreError::Statement { statement, reason },
    }
}
