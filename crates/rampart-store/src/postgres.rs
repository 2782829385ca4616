//! PostgreSQL, and what speaks its protocol: a pool, prepared statements, pipelining, and the retry rules.
//!
//! A write costs three round trips when its loads are independent: BEGIN, the head row and the loads travel together;
//! then the rows and the log entry; then COMMIT.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::FutureExt;
use futures_util::future::join3;
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::connection::Connection;
use crate::figures::{Counts, EngineFigures};
use crate::migrations::{self, Opened};
use crate::statement::{Row, Statement, Value};
use crate::store::{Options, Reader, Timeouts};
use crate::tables::change_log;
use crate::{Abort, PartitionId, Partitions, StoreError, Transaction, Work};

mod address;
mod hosts;
mod link;
mod tls;

pub(crate) use address::Address;
use hosts::Hosts;
pub(crate) use link::Link;
use link::Trouble;

/// How often a transaction is tried before it is given up.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause between attempts; it doubles, up to the longest.
const PAUSE_FIRST_MS: u64 = 2;
const PAUSE_LONGEST_MS: u64 = 250;
/// How long a write waits for its turn in a partition.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// After this long a transaction is not tried again: its caller has a right to an answer.
const TRYING_MAX: Duration = Duration::from_secs(10);
/// What the server may take for a lock, a statement, and for us to go on in a transaction, in milliseconds. A stuck
/// writer must not hold up the others for good.
///
/// What is acknowledged is durable, on the synchronous standbys too where the server has some, whatever else its
/// settings say.
///
/// And how it plans: every statement of ours walks indexes in order and stops at its limit. Left alone, the planner takes
/// an unknown limit for a tenth of the table and then scans, joins and sorts all of it. The plans the tests see are made
/// with these settings too.
pub const SESSION: &str = "-c lock_timeout=4000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=15000 \
                       -c synchronous_commit=on -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off \
                       -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan";

pub(crate) struct PostgresStore {
    connections: Connections,
    partitions: Partitions,
    /// One writer of this process at a time in each partition: the others wait here, not on a connection each.
    turns: Arc<Vec<Mutex<()>>>,
    counts: Arc<Counts>,
}

/// Where connections come from. Clones share the pool.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: Pool,
    timeouts: Timeouts,
}

impl Connections {
    async fn for_reads(&self) -> Result<Link, StoreError> {
        Ok(Link::for_reads(self.pooled().await?, self.timeouts))
    }

    pub(crate) async fn for_transaction(&self) -> Result<Link, StoreError> {
        Ok(Link::for_transaction(self.pooled().await?, self.timeouts))
    }

    async fn pooled(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|e| unreachable_store(&e))
    }
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
        options: &Options,
        counts: Arc<Counts>,
    ) -> Result<(Self, Opened), StoreError> {
        let timeouts = options.timeouts;
        let address = Address::parse(url).map_err(|e| StoreError::Unusable { reason: e.to_string() })?;
        let (tls_mode, connector) = tls::connector(&address, options.authorities.as_deref())?;
        let mut config = address.config;
        let session =
            config.get_options().map_or_else(|| SESSION.to_owned(), |given| format!("{SESSION} {given}"));
        config
            .application_name("rampart")
            .ssl_mode(tls_mode.of_driver())
            .connect_timeout(timeouts.connect)
            .keepalives_idle(Duration::from_secs(15))
            .keepalives_interval(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(20))
            .options(session);
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let hosts = Hosts::new(&config, connector, timeouts.connect);
        let pool = Pool::builder(Manager::from_connect(config, hosts, manager_config))
            .max_size(options.connections_max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(timeouts.connect))
            .create_timeout(Some(timeouts.connect))
            .recycle_timeout(Some(timeouts.connect))
            .build()
            .map_err(StoreError::unavailable)?;
        let connections = Connections { pool, timeouts };
        let opened = migrations::migrate_postgres(&connections, options.partitions).await?;
        let turns = Arc::new(opened.partitions.all().map(|_| Mutex::new(())).collect());
        Ok((Self { connections, partitions: opened.partitions, turns, counts }, opened))
    }

    /// A connection to read on that is not waited for: one of its own when all of the pool are in use. Who asks whether
    /// the server answers does not ask whether there is much to do.
    pub(crate) async fn link_at_once(&self) -> Result<Link, StoreError> {
        let Connections { pool, timeouts } = &self.connections;
        let status = pool.status();
        if status.available > 0 || status.size < status.max_size {
            return self.link().await;
        }
        Ok(Link::of_its_own(link::connect(pool, *timeouts).await?, *timeouts))
    }

    /// A connection to read on.
    pub(crate) async fn link(&self) -> Result<Link, StoreError> {
        self.connections.for_reads().await
    }

    pub(crate) fn figures(&self) -> EngineFigures {
        let status = self.connections.pool.status();
        EngineFigures::Postgres {
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            max: status.max_size,
            waiting: status.waiting,
        }
    }

    /// A connection in a transaction that sees one moment, and ends with it.
    pub(crate) async fn snapshot(&self) -> Result<Link, StoreError> {
        let link = self.connections.for_transaction().await?;
        link.discard();
        // Who reads it may be slow: rows may go through a pipe.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                     SET LOCAL idle_in_transaction_session_timeout = 0";
        link.within(link.batch_execute(begin)).await.map_err(|trouble| trouble.into_error("snapshot"))?;
        Ok(link)
    }

    pub(crate) fn close(&self) {
        self.connections.pool.close();
    }

    /// Runs `work` in a transaction of `part`, again from the top when it met other writers.
    pub(crate) async fn write<W: Work>(&self, part: PartitionId, work: W) -> Result<W::Reply, Abort> {
        // On a task of its own: a client that goes away must not leave a transaction open on a pooled connection.
        let (connections, partitions) = (self.connections.clone(), self.partitions);
        let (turns, counts) = (Arc::clone(&self.turns), Arc::clone(&self.counts));
        tokio::spawn(async move {
            let turn = usize::try_from(part.0).ok().and_then(|part| turns.get(part));
            let turn = turn
                .ok_or_else(|| StoreError::Corrupt { what: format!("there is no partition {}", part.0) })?;
            let waited = tokio::time::timeout(WAIT_MAX, turn.lock()).await;
            let _turn = waited.map_err(|_| StoreError::Overloaded { waiting: 1 })?;
            write_with_retries(&connections, partitions, part, &work, &counts).await
        })
        .await
        .unwrap_or_else(|_| Err(Abort::Store(StoreError::Panicked)))
    }
}

async fn write_with_retries<W: Work>(
    connections: &Connections,
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
        let link = connections.for_transaction().await?;
        let (reply, failed) = attempt(link, partitions, part, work).await;
        match failed {
            None => return reply.ok_or(Abort::Store(StoreError::Panicked)),
            Some(Failed::Finally(abort)) => return Err(abort),
            Some(Failed::Unknown { seq, idx, id, error }) => {
                if was_committed(connections, part, seq, idx, id).await.ok_or(error)? {
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
    link: Link,
    partitions: Partitions,
    part: PartitionId,
    work: &W,
) -> (Option<W::Reply>, Option<Failed>) {
    if let Err(error) = change_log::prepare_head(&link).await {
        return (None, Some(classify(Abort::Store(error))));
    }
    let reader = Reader::of_transaction(Connection::Postgres(Box::new(link)), partitions);
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
    let seq = head.as_ref().copied().unwrap_or_default();
    let Connection::Postgres(link) = tx.into_reader().connection else {
        return (None, Some(Failed::Finally(Abort::Store(StoreError::Panicked))));
    };
    let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Panicked.into()));
    let outcome = begun.and(head).map_err(Abort::Store).and(outcome);
    let reply = match outcome {
        Ok(reply) => reply,
        Err(abort) => {
            roll_back(*link).await;
            return (None, Some(classify(abort)));
        }
    };
    // Also when nothing was written: what it found done may wait for a standby still, if the server ended meanwhile. With
    // the head row, a COMMIT waits for all that was committed before.
    match link.within(link.batch_execute("COMMIT")).await {
        Ok(()) => (Some(reply), None),
        Err(Trouble::Said(error)) if is_certainly_not_committed(&error) => {
            roll_back(*link).await;
            (None, Some(classify(Abort::Store(failure("COMMIT", &error)))))
        }
        Err(trouble) => {
            link.discard();
            let error = trouble.into_error("COMMIT");
            (Some(reply), Some(Failed::Unknown { seq, idx: 0, id, error }))
        }
    }
}

async fn begin(tx: &Transaction) -> Result<(), StoreError> {
    match &tx.connection {
        Connection::Postgres(link) => {
            link.within(link.batch_execute("BEGIN")).await.map_err(|trouble| trouble.into_error("BEGIN"))
        }
        Connection::Sqlite(_) => Ok(()),
    }
}

/// Ends a transaction that failed. A connection that cannot even do that is not used again.
async fn roll_back(link: Link) {
    if !link.is_spent() && link.within(link.batch_execute("ROLLBACK")).await.is_err() {
        link.discard();
    }
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
/// head row first waits for the old transaction, should the server still be at it; committing that waits until what was
/// found is as durable as if its COMMIT had been answered: a server that was stopped meanwhile shows what no standby has.
async fn was_committed(
    connections: &Connections,
    part: PartitionId,
    seq: i64,
    idx: i64,
    id: Uuid,
) -> Option<bool> {
    let link = connections.for_transaction().await.ok()?;
    link.within(link.batch_execute("BEGIN")).await.ok()?;
    let reader = Reader::of_transaction(Connection::Postgres(Box::new(link)), Partitions::POSTGRES_DEFAULT);
    let found = async {
        change_log::take_head(&reader, part).await?;
        change_log::payload(&reader, part, seq, idx).await
    }
    .await;
    let Connection::Postgres(link) = reader.connection else { return None };
    let found = found.map(|text| text.is_some_and(|text| text.contains(&id.to_string())));
    if found.as_ref().is_ok_and(|found| *found) && link.within(link.batch_execute("COMMIT")).await.is_ok() {
        return Some(true);
    }
    roll_back(*link).await;
    found.ok().filter(|found| !found)
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
pub(crate) async fn prepare(link: &Link, statement: &'static Statement) -> Result<(), StoreError> {
    let prepared = link.within(link.prepare_cached(statement.sql)).await;
    prepared.map(drop).map_err(|trouble| trouble.into_error(statement.name))
}

pub(crate) async fn query<T>(
    link: &Link,
    statement: &'static Statement,
    values: &[Value<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    // Of queries that travel together each finds the connection dead, though another may have renewed it by then.
    let was_renewed = link.is_renewed();
    let rows = match link.within(rows(link, statement, values)).await {
        Err(trouble) if !was_renewed && link.may_ask_again(&trouble) => {
            // In a box: it is rare, and every query's future would have room for it.
            Box::pin(rows_anew(link, statement, values)).await?
        }
        rows => rows.map_err(|trouble| trouble.into_error(statement.name))?,
    };
    rows.iter().map(|row| read(&Row::Postgres(row))).collect()
}

async fn rows_anew(
    link: &Link,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<Vec<tokio_postgres::Row>, StoreError> {
    let client = link.renew().await?;
    link.within(rows(client, statement, values)).await.map_err(|trouble| trouble.into_error(statement.name))
}

async fn rows(
    client: &ClientWrapper,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let prepared = client.prepare_cached(statement.sql).await?;
    client.query(&prepared, &bound(values)).await
}

pub(crate) async fn execute(
    link: &Link,
    statement: &'static Statement,
    values: &[Value<'_>],
) -> Result<u64, StoreError> {
    let run = async {
        let prepared = link.prepare_cached(statement.sql).await?;
        link.execute(&prepared, &bound(values)).await
    };
    link.within(run).await.map_err(|trouble| trouble.into_error(statement.name))
}

fn bound<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// What a failure means: `Conflict` for those that a new attempt may mend.
pub(crate) fn failure(statement: &'static str, error: &tokio_postgres::Error) -> StoreError {
    let Some(state) = error.code() else {
        // No answer from the server: the connection is gone, and before COMMIT nothing was written.
        return if link::is_broken(error) {
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
        // Another server may take writes, and the next connection is to that one.
        &SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    if again.contains(&state) || state.code().starts_with("08") {
        return StoreError::Conflict { attempts: 1 };
    }
    // Class 53: out of disk, memory or connections. And what took longer than a statement may.
    if state.code().starts_with("53") || *state == SqlState::QUERY_CANCELED {
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
        PoolError::Backend(cause) => refused_connection(cause),
        PoolError::Timeout(TimeoutType::Wait) => StoreError::unavailable("no connection became free in time"),
        PoolError::Timeout(_) => StoreError::unavailable("it did not let us in in time"),
        other => StoreError::unavailable(other),
    }
}

/// Why the server does not let us in: for now, or until somebody changes something.
fn refused_connection(error: &tokio_postgres::Error) -> StoreError {
    let reason = describe_chain(error);
    // Classes 28 and 3D: who we are, and which database. Without a code, a server that is there and wants a password.
    let is_final = match error.code() {
        Some(state) => state.code().starts_with("28") || state.code().starts_with("3D"),
        None => error.to_string().starts_with("invalid configuration") || tls::is_distrusted(error),
    };
    if is_final { StoreError::Unusable { reason } } else { StoreError::Unavailable { reason } }
}

fn describe_chain(error: &tokio_postgres::Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(next) = source {
        reason = format!("{reason}: {next}");
        source = next.source();
    }
    reason
}
