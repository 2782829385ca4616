//! PostgreSQL, and what speaks its protocol: a pool, prepared statements, pipelining, and the retry rules.
//!
//! A write costs three round trips when its loads are independent: BEGIN, the head row and the loads travel together;
//! then the rows and the log entry; then COMMIT.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use futures_util::FutureExt;
use futures_util::future::join3;
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::connection::Connection;
use crate::figures::{Counts, EngineFigures};
use crate::migrations::{self, Opened};
use crate::statement::{Row, Statement, Value};
use crate::store::{Options, Reader};
use crate::tables::change_log;
use crate::{Abort, PartitionId, Partitions, StoreError, Transaction, Work};

/// How often a transaction is tried before it is given up.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause between attempts; it doubles, up to the longest.
const PAUSE_FIRST_MS: u64 = 2;
const PAUSE_LONGEST_MS: u64 = 250;
/// How long a request waits for a connection, for its turn in a partition, and a connection for the server.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// After this long a transaction is not tried again: its caller has a right to an answer.
const TRYING_MAX: Duration = Duration::from_secs(10);
/// What the server may take for a lock, a statement, and for us to go on in a transaction, in milliseconds. A stuck
/// writer must not hold up the others for good.
///
/// And how it plans: every statement of ours walks indexes in order and stops at its limit. Left alone, the planner takes
/// an unknown limit for a tenth of the table and then scans, joins and sorts all of it. The plans the tests see are made
/// with these settings too.
pub const SESSION: &str = "-c lock_timeout=4000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=15000 \
                       -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off \
                       -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan";

pub(crate) struct PostgresStore {
    pool: Pool,
    partitions: Partitions,
    /// One writer of this process at a time in each partition: the others wait here, not on a connection each.
    turns: Arc<Vec<Mutex<()>>>,
    counts: Arc<Counts>,
}

/// How one attempt ended when it did not succeed.
enum Failed {
    /// Nothing was written, and trying again may help.
    Again(StoreError),
    /// COMMIT was sent and no answer came.
    Unknown { seq: i64, idx: i64, id: Uuid, error: StoreError },
    /// Nothing was written, and trying again will not help.
    Finally(Abort),
}

impl PostgresStore {
    pub(crate) async fn open(
        url: &str,
        options: Options,
        counts: Arc<Counts>,
    ) -> Result<(Self, Opened), StoreError> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|e| StoreError::unavailable(format!("its URL is not understood: {e}")))?;
        let session =
            config.get_options().map_or_else(|| SESSION.to_owned(), |given| format!("{SESSION} {given}"));
        config
            .application_name("rampart")
            .connect_timeout(WAIT_MAX)
            .keepalives_idle(Duration::from_secs(15))
            .tcp_user_timeout(Duration::from_secs(20))
            .options(session);
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, manager_config))
            .max_size(options.connections_max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT_MAX))
            .create_timeout(Some(WAIT_MAX))
            .recycle_timeout(Some(WAIT_MAX))
            .build()
            .map_err(StoreError::unavailable)?;
        let client = pool.get().await.map_err(|e| unreachable_store(&e))?;
        let opened = migrations::migrate_postgres(&client, options.partitions).await?;
        let turns = Arc::new(opened.partitions.all().map(|_| Mutex::new(())).collect());
        Ok((Self { pool, partitions: opened.partitions, turns, counts }, opened))
    }

    pub(crate) async fn connection(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|e| unreachable_store(&e))
    }

    pub(crate) fn figures(&self) -> EngineFigures {
        let status = self.pool.status();
        EngineFigures::Postgres {
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            max: status.max_size,
            waiting: status.waiting,
        }
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Runs `work` in a transaction of `part`, again from the top when it met other writers.
    pub(crate) async fn write<W: Work>(&self, part: PartitionId, work: W) -> Result<W::Reply, Abort> {
        // On a task of its own: a client that goes away must not leave a transaction open on a pooled connection.
        let (pool, partitions, turns) = (self.pool.clone(), self.partitions, Arc::clone(&self.turns));
        let counts = Arc::clone(&self.counts);
        tokio::spawn(async move {
            let turn = usize::try_from(part.0).ok().and_then(|part| turns.get(part));
            let turn = turn
                .ok_or_else(|| StoreError::Corrupt { what: format!("there is no partition {}", part.0) })?;
            let waited = tokio::time::timeout(WAIT_MAX, turn.lock()).await;
            let _turn = waited.map_err(|_| StoreError::Overloaded { waiting: 1 })?;
            write_with_retries(&pool, partitions, part, &work, &counts).await
        })
        .await
        .unwrap_or_else(|_| Err(Abort::Store(StoreError::Panicked)))
    }
}

async fn write_with_retries<W: Work>(
    pool: &Pool,
    partitions: Partitions,
    part: PartitionId,
    work: &W,
    counts: &Counts,
) -> Result<W::Reply, Abort> {
    let (started, mut pause_ms) = (Instant::now(), PAUSE_FIRST_MS);
    for tried in 0..ATTEMPTS_MAX {
        if started.elapsed() > TRYING_MAX {
            break;
        }
        if tried > 0 {
            counts.retried();
        }
        let client = pool.get().await.map_err(|e| unreachable_store(&e))?;
        let (reply, failed) = attempt(client, partitions, part, work).await;
        match failed {
            None => return reply.ok_or(Abort::Store(StoreError::Panicked)),
            Some(Failed::Finally(abort)) => return Err(abort),
            Some(Failed::Unknown { seq, idx, id, error }) => {
                if was_committed(pool, part, seq, idx, id).await.ok_or(error)? {
                    return reply.ok_or(Abort::Store(StoreError::Panicked));
                }
            }
            Some(Failed::Again(error)) => tracing::debug!(%error, "a transaction is tried again"),
        }
        pause(pause_ms).await;
        pause_ms = (pause_ms * 2).min(PAUSE_LONGEST_MS);
    }
    Err(Abort::Store(StoreError::Conflict { attempts: ATTEMPTS_MAX }))
}

/// One run of the work. The reply is given even when the outcome of COMMIT is unknown.
async fn attempt<W: Work>(
    client: Object,
    partitions: Partitions,
    part: PartitionId,
    work: &W,
) -> (Option<W::Reply>, Option<Failed>) {
    if let Err(error) = change_log::prepare_head(&client).await {
        return (None, Some(classify(Abort::Store(error))));
    }
    let reader = Reader::of_transaction(Connection::Postgres(Box::new(client)), partitions);
    let id = Uuid::from_bytes(random_bytes());
    let tx = Transaction::new(reader, part, OnceCell::new(), 0, id);
    // Polled in this order, so the server sees BEGIN, then the head row, then the work's loads. The head's statement is
    // prepared by now: if it had to wait for that, a load could overtake it and read what the lock is to protect.
    let opening = begin(&tx);
    let head = async {
        let seq = change_log::take_head(&tx, part).await?;
        tx.head_taken(seq);
        Ok::<i64, StoreError>(seq)
    };
    // A panic must not let go of the connection while its transaction is open: the next user would commit it.
    let work = AssertUnwindSafe(work.run(&tx)).catch_unwind();
    let (begun, head, outcome) = join3(opening, head, work).await;
    let (seq, wrote) = (head.as_ref().copied().unwrap_or_default(), tx.has_written());
    let Connection::Postgres(client) = tx.into_reader().connection else {
        return (None, Some(Failed::Finally(Abort::Store(StoreError::Panicked))));
    };
    let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Panicked.into()));
    let outcome = begun.and(head).map_err(Abort::Store).and(outcome);
    let reply = match outcome {
        Ok(reply) => reply,
        Err(abort) => {
            roll_back(*client).await;
            return (None, Some(classify(abort)));
        }
    };
    if !wrote {
        roll_back(*client).await;
        return (Some(reply), None);
    }
    match client.batch_execute("COMMIT").await {
        Ok(()) => (Some(reply), None),
        Err(error) if is_certainly_not_committed(&error) => {
            roll_back(*client).await;
            (None, Some(classify(Abort::Store(failure("COMMIT", &error)))))
        }
        Err(error) => {
            discard(*client);
            let error = failure("COMMIT", &error);
            (Some(reply), Some(Failed::Unknown { seq, idx: 0, id, error }))
        }
    }
}

async fn begin(tx: &Transaction) -> Result<(), StoreError> {
    match &tx.connection {
        Connection::Postgres(client) => client.batch_execute("BEGIN").await.map_err(|e| failure("BEGIN", &e)),
        Connection::Sqlite(_) => Ok(()),
    }
}

/// Ends a transaction that failed. A connection that cannot even do that is not used again.
async fn roll_back(client: Object) {
    if client.batch_execute("ROLLBACK").await.is_err() {
        discard(client);
    }
}

fn discard(client: Object) {
    drop(Object::take(client));
}

fn classify(abort: Abort) -> Failed {
    match abort {
        Abort::Store(error @ StoreError::Conflict { .. }) => Failed::Again(error),
        abort => Failed::Finally(abort),
    }
}

/// Whether COMMIT failed for good. Some codes say that its outcome is not known, as a silent connection does: a pooler
/// that lost its server, a server that is being stopped.
fn is_certainly_not_committed(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| {
        let code = state.code();
        !(code.starts_with("08") || code.starts_with("57P") || code == "40003")
    })
}

/// Whether the transaction whose COMMIT went unanswered is in the log; `None` when that cannot be found out. Taking the
/// head row first waits for the old transaction, should the server still be at it.
async fn was_committed(pool: &Pool, part: PartitionId, seq: i64, idx: i64, id: Uuid) -> Option<bool> {
    let client = pool.get().await.ok()?;
    client.batch_execute("BEGIN").await.ok()?;
    let reader = Reader::of_transaction(Connection::Postgres(Box::new(client)), Partitions::POSTGRES_DEFAULT);
    let found = async {
        change_log::take_head(&reader, part).await?;
        change_log::payload(&reader, part, seq, idx).await
    }
    .await;
    if let Connection::Postgres(client) = reader.connection {
        roll_back(*client).await;
    }
    Some(found.ok()?.is_some_and(|text| text.contains(&id.to_string())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "no event tells when another writer is done: back off with jitter"
)]
async fn pause(ms: u64) {
    let jitter = u64::from(random_bytes::<1>()[0]) * ms / 256;
    tokio::time::sleep(Duration::from_millis(ms / 2 + jitter)).await;
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Prepares a statement before it is needed.
pub(crate) async fn prepare(client: &Object, statement: &'static Statement) -> Result<(), StoreError> {
    client.prepare_cached(statement.sql).await.map(drop).map_err(|e| failure(statement.name, &e))
}

pub(crate) async fn query<T>(
    client: &Object,
    statement: &'static Statement,
    values: &[Value<'_>],
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let failed = |e: tokio_postgres::Error| failure(statement.name, &e);
    let prepared = client.prepare_cached(statement.sql).await.map_err(failed)?;
    let rows = client.query(&prepared, &bound(values)).await.map_err(failed)?;
    rows.iter().map(|row| read(&Row::Postgres(row))).collect()
}

pub(crate) async fn execute(
    client: &Object,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, StoreError> {
    let failed = |e: tokio_postgres::Error| failure(statement.name, &e);
    let prepared = client.prepare_cached(statement.sql).await.map_err(failed)?;
    client.execute(&prepared, &bound(values)).await.map_err(failed)
}

fn bound<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// What a failure means: `Conflict` for those that a new attempt may mend.
pub(crate) fn failure(statement: &'static str, error: &tokio_postgres::Error) -> StoreError {
    let Some(state) = error.code() else {
        // No answer from the server: the connection is gone, and before COMMIT nothing was written.
        return if error.is_closed()
            || std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
        {
            StoreError::Conflict { attempts: 1 }
        } else {
            StoreError::Statement { statement, reason: describe(error) }
        };
    };
    let again = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::LOCK_NOT_AVAILABLE,
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
    ];
    if again.contains(&state) || state.code().starts_with("08") {
        return StoreError::Conflict { attempts: 1 };
    }
    // Class 53: out of disk, memory or connections.
    if state.code().starts_with("53") {
        return StoreError::unavailable(describe(error));
    }
    StoreError::Statement { statement, reason: describe(error) }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => error.to_string(),
    }
}

fn unreachable_store(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(cause) => {
            let mut reason = cause.to_string();
            let mut source = std::error::Error::source(cause);
            while let Some(next) = source {
                reason = format!("{reason}: {next}");
                source = next.source();
            }
            StoreError::Unavailable { reason }
        }
        PoolError::Timeout(_) => StoreError::unavailable("no connection became free in time"),
        other => StoreError::unavailable(other),
    }
}
