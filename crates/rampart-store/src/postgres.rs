//! PostgreSQL, and what speaks its protocol: a pool, prepared statements, pipelining, and what failures mean.
//!
//! A write costs three round trips when its loads are independent: BEGIN, the head row and the loads travel together;
//! then the rows and the log entry; then COMMIT. Those that wait for one partition are committed together.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use crate::figures::{Counts, EngineFigures};
use crate::migrations::{self, Opened};
use crate::statement::{Row, Statement, Value};
use crate::store::{Options, Timeouts};
use crate::{Abort, PartitionId, StoreError, Work};

mod address;
mod batch;
mod hosts;
mod link;
mod queue;
mod tls;
mod writer;

pub(crate) use address::Address;
use hosts::Hosts;
pub(crate) use link::Link;
use writer::Writer;

/// What the server may take for a lock, a statement, and for us to go on in a transaction, in milliseconds. A stuck
/// writer must not hold up the others for good. A node that froze in a transaction is let go of before those that wait for
/// its lock give up, and before another takes its lease; one that runs goes on at once.
///
/// How it plans: every statement of ours walks indexes in order and stops at its limit. Left alone, the planner takes
/// an unknown limit for a tenth of the table and then scans, joins and sorts all of it. The plans the tests see are made
/// with these settings too.
pub const SESSION: &str = "-c lock_timeout=4000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=2000 \
                       -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off -c enable_mergejoin=off \
                       -c jit=off -c plan_cache_mode=force_generic_plan";

/// What is acknowledged is durable, on the synchronous standbys too where the server has some, whatever else its
/// settings say, or the URL's: of settings that are given twice the last one holds.
const DURABLE: &str = "-c synchronous_commit=on";

pub(crate) struct PostgresStore {
    connections: Connections,
    writer: Arc<Writer>,
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

    /// For one transaction, beside the pool, which may have no other.
    pub(crate) async fn beside_pool(&self) -> Result<Link, StoreError> {
        let client = link::connect(&self.pool, self.timeouts).await?;
        Ok(Link::of_its_own_for_transaction(client, self.timeouts))
    }

    async fn pooled(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|e| unreachable_store(&e))
    }
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
        let session = format!("{SESSION} {} {DURABLE}", config.get_options().unwrap_or_default());
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
        let writer = Writer::new(connections.clone(), opened.partitions, options.together, counts);
        Ok((Self { connections, writer: Arc::new(writer) }, opened))
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
            queued: self.writer.waiting(),
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
        self.writer.write(part, work).await
    }
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
        // This process stood still for too long.
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
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
