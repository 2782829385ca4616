//! The tables, and how a store comes to have them. Forward only, one DDL statement after the other, each of which may find
//! its work done, so that an interrupted start simply goes on.

use crate::postgres::{Connections, Link};
use crate::random::random_bytes;
use crate::statement::{Row, Statement, Value};
use crate::{Partitions, StoreError, postgres, sqlite};

mod steps;

use steps::{SERVES_FROM, STEPS};

/// The number of steps: the version of the tables that this build knows.
#[expect(clippy::cast_possible_wrap, reason = "a list written by hand is short")]
pub const SCHEMA_VERSION: i64 = STEPS.len() as i64;

/// What opening a store did to its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 for a store made now.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

/// What is known of a store once it is open.
#[derive(Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) migrated: Migrated,
    pub(crate) partitions: Partitions,
    pub(crate) page_token_key: [u8; 32],
}

/// Holds what the store must know of itself before anything else; made before the first step.
const META_TABLE: &str = "CREATE TABLE IF NOT EXISTS store_meta (
        part BIGINT NOT NULL,
        name TEXT NOT NULL,
        value BYTEA NOT NULL,
        PRIMARY KEY (part, name))";

pub(crate) static READ_META: Statement =
    Statement::new("store_meta.read", "SELECT value FROM store_meta WHERE part = $1 AND name = $2");
/// The first to open a new store settles its constants; others read them.
pub(crate) static SETTLE_META: Statement = Statement::new(
    "store_meta.settle",
    "INSERT INTO store_meta (part, name, value) VALUES ($1, $2, $3) ON CONFLICT (part, name) DO NOTHING",
);
pub(crate) static WRITE_META: Statement = Statement::new(
    "store_meta.write",
    "INSERT INTO store_meta (part, name, value) VALUES ($1, $2, $3)
     ON CONFLICT (part, name) DO UPDATE SET value = excluded.value",
);
static MAKE_HEAD: Statement = Statement::new(
    "log_head.make",
    "INSERT INTO log_head (part, seq) VALUES ($1, 0) ON CONFLICT (part) DO NOTHING",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&READ_META, &SETTLE_META, &WRITE_META, &MAKE_HEAD];

pub(crate) const META_PART: i64 = 0;
pub(crate) const VERSION: &str = "schema_version";
/// The version of the oldest build that may still serve.
pub(crate) const OLDEST: &str = "serves_from";
/// The row that a node holds while it takes steps.
const LOCK: &str = "migration_lock";
/// How often a step is tried that waits for others.
const DDL_ATTEMPTS: u32 = 15;
/// How the text of an error ends that says that somebody may not do something.
const NOT_ALLOWED: &str = "(42501)";
const PARTITIONS: &str = "partitions";
const PAGE_TOKEN_KEY: &str = "page_token_key";

/// All in one transaction, which goes to disk once: a new store's tables one by one would take most of the time of a
/// start. The transaction of a failure ends with its connection.
pub(crate) fn migrate_sqlite(
    connection: &rusqlite::Connection,
    partitions: Partitions,
) -> Result<Opened, StoreError> {
    sqlite::run_batch(connection, "BEGIN IMMEDIATE")?;
    let opened = take_steps(connection, partitions)?;
    sqlite::run_batch(connection, "COMMIT")?;
    Ok(opened)
}

fn take_steps(connection: &rusqlite::Connection, partitions: Partitions) -> Result<Opened, StoreError> {
    let read = |name| sqlite::query(connection, &READ_META, &[META_PART.into(), Value::Text(name)], value);
    let write = |statement, name, value: &[u8]| {
        sqlite::execute(connection, statement, &[META_PART.into(), Value::Text(name), Value::Bytes(value)])
    };
    sqlite::run_batch(connection, META_TABLE)?;
    let from = check_version(&read(VERSION)?, &read(OLDEST)?)?;
    for (step, done) in STEPS.iter().zip(1_i64..) {
        if done > from {
            let ddl = sqlite_ddl(step);
            connection.execute_batch(&ddl).map_err(|e| sqlite::failure("migration", &e))?;
        }
    }
    if from < SCHEMA_VERSION {
        write(&WRITE_META, VERSION, &SCHEMA_VERSION.to_be_bytes())?;
        write(&WRITE_META, OLDEST, &SERVES_FROM.to_be_bytes())?;
    }
    write(&SETTLE_META, PARTITIONS, &partitions.count().to_be_bytes())?;
    write(&SETTLE_META, PAGE_TOKEN_KEY, &random_bytes::<32>())?;
    let opened = opened(from, &read(PARTITIONS)?, &read(PAGE_TOKEN_KEY)?)?;
    for part in opened.partitions.all() {
        sqlite::execute(connection, &MAKE_HEAD, &[part.0.into()])?;
    }
    Ok(opened)
}

/// Under a lock row, so that of several nodes that start one takes the steps and the others wait for it. The row is held by
/// a transaction on a connection of its own: it ends with the node, however that ends.
pub(crate) async fn migrate_postgres(
    connections: &Connections,
    partitions: Partitions,
) -> Result<Opened, StoreError> {
    migrate_as_allowed(connections, partitions).await.map_err(|error| match error {
        StoreError::Statement { reason, .. } if reason.ends_with(NOT_ALLOWED) => {
            let reason = format!(
                "its tables are to be made or brought up to date, which this user may not ({reason}): run `rampart migrate` as one that may"
            );
            StoreError::Unusable { reason }
        }
        error => error,
    })
}

async fn migrate_as_allowed(connections: &Connections, partitions: Partitions) -> Result<Opened, StoreError> {
    let client = &connections.for_transaction().await?;
    // Who may not make tables may serve those that are there.
    if !has_meta(client).await? {
        make_meta(client).await?;
    }
    let mut from = version_on_postgres(client).await?;
    if from < SCHEMA_VERSION {
        // Where it is there it is not written: that would wait for who holds it.
        if read_meta(client, LOCK).await?.is_empty() {
            write_meta(client, &SETTLE_META, LOCK, &[]).await?;
        }
        let lock = take_lock(connections).await?;
        // Another node may have been here while we waited.
        from = version_on_postgres(client).await?;
        if from < SCHEMA_VERSION {
            take_steps_on_postgres(client, from, partitions).await?;
        }
        run(&lock, "COMMIT").await?;
    }
    opened_on_postgres(client, from).await
}

async fn has_meta(client: &Link) -> Result<bool, StoreError> {
    let found = client.query_one("SELECT to_regclass('store_meta') IS NOT NULL", &[]);
    let found = client.within(found).await.map_err(|trouble| trouble.into_error("migration"))?;
    Ok(found.get(0))
}

/// Two that make this table at once: one meets the other's catalog row, and finds the table when it asks again.
async fn make_meta(client: &Link) -> Result<(), StoreError> {
    for sql in postgres_ddl(META_TABLE, true) {
        if let Err(error) = run(client, &sql).await {
            if client.is_spent() {
                return Err(error);
            }
            run(client, &sql).await?;
        }
    }
    Ok(())
}

async fn run(client: &Link, sql: &str) -> Result<(), StoreError> {
    client.within(client.batch_execute(sql)).await.map_err(|trouble| trouble.into_error("migration"))
}

/// However long it takes.
async fn run_at_length(client: &Link, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|e| postgres::failure("migration", &e))
}

async fn read_meta(client: &Link, name: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    postgres::query(client, &READ_META, &[META_PART.into(), Value::Text(name)], value).await
}

async fn write_meta(
    client: &Link,
    statement: &'static Statement,
    name: &str,
    value: &[u8],
) -> Result<u64, StoreError> {
    postgres::execute(client, statement, &[META_PART.into(), Value::Text(name), Value::Bytes(value)]).await
}

async fn version_on_postgres(client: &Link) -> Result<i64, StoreError> {
    check_version(&read_meta(client, VERSION).await?, &read_meta(client, OLDEST).await?)
}

async fn opened_on_postgres(client: &Link, from: i64) -> Result<Opened, StoreError> {
    opened(from, &read_meta(client, PARTITIONS).await?, &read_meta(client, PAGE_TOKEN_KEY).await?)
}

/// Waits until no other node takes steps, however long that takes it.
async fn take_lock(connections: &Connections) -> Result<Link, StoreError> {
    let mut told = false;
    loop {
        let link = connections.beside_pool().await?;
        run(&link, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0").await?;
        match write_meta(&link, &WRITE_META, LOCK, &[]).await {
            Ok(_) => return Ok(link),
            // It waited for as long as a statement may wait for a lock.
            Err(StoreError::Conflict { .. }) => {
                if !told {
                    tracing::warn!("another node is bringing the tables up to date: waiting for it");
                    told = true;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The version is written after every step, so that an interrupted start goes on from there; the last one when all that
/// belongs to a store is in it.
async fn take_steps_on_postgres(client: &Link, from: i64, partitions: Partitions) -> Result<(), StoreError> {
    // An index of a large table takes its time.
    run(client, "SET statement_timeout = 0").await?;
    for (step, done) in STEPS.iter().zip(1_i64..).filter(|(_, done)| *done > from) {
        if from > 0 {
            tracing::info!(step = done, of = SCHEMA_VERSION, "bringing the tables up to date");
        }
        for sql in postgres_ddl(step, from == 0) {
            run_past_writers(client, &sql).await?;
        }
        if done < SCHEMA_VERSION {
            write_meta(client, &WRITE_META, VERSION, &done.to_be_bytes()).await?;
        }
    }
    run(client, "RESET statement_timeout").await?;
    write_meta(client, &SETTLE_META, PARTITIONS, &partitions.count().to_be_bytes()).await?;
    write_meta(client, &SETTLE_META, PAGE_TOKEN_KEY, &random_bytes::<32>()).await?;
    for part in opened_on_postgres(client, from).await?.partitions.all() {
        postgres::execute(client, &MAKE_HEAD, &[part.0.into()]).await?;
    }
    write_meta(client, &WRITE_META, OLDEST, &SERVES_FROM.to_be_bytes()).await?;
    write_meta(client, &WRITE_META, VERSION, &SCHEMA_VERSION.to_be_bytes()).await?;
    Ok(())
}

/// A statement that waits for writers holds up others behind it: it gives up in time, and is tried again.
async fn run_past_writers(client: &Link, sql: &str) -> Result<(), StoreError> {
    for _ in 1..DDL_ATTEMPTS {
        match run_at_length(client, sql).await {
            Err(StoreError::Conflict { .. }) => {}
            outcome => return outcome,
        }
    }
    run_at_length(client, sql).await
}

/// Where the engines differ: SQLite adds a column without asking whether it is there. It is not: steps and version are
/// written in one transaction.
fn sqlite_ddl(ddl: &str) -> String {
    ddl.replace("ADD COLUMN IF NOT EXISTS", "ADD COLUMN")
}

/// Where the engines differ: SQLite compares text by its bytes, PostgreSQL by the database's locale unless told else. And an
/// index of a table that is in use is made beside its writers; one that an interrupted start left half made goes first.
fn postgres_ddl(ddl: &str, is_new: bool) -> Vec<String> {
    let sql = ddl.replace(" TEXT", " TEXT COLLATE \"C\"");
    match sql.strip_prefix("CREATE INDEX IF NOT EXISTS ") {
        Some(index) if !is_new => {
            let name = index.split_whitespace().next().unwrap_or_default();
            vec![format!("DROP INDEX IF EXISTS {name}"), format!("CREATE INDEX CONCURRENTLY {index}")]
        }
        _ => vec![sql],
    }
}

/// The version of the tables, if this build may serve them. Those of a newer build it may, unless that build needs what
/// this one does not do.
pub(crate) fn check_version(version: &[Vec<u8>], oldest: &[Vec<u8>]) -> Result<i64, StoreError> {
    let of = |found: &[Vec<u8>]| found.first().map(|bytes| number(bytes)).transpose();
    let version = of(version)?.unwrap_or_default();
    if version > SCHEMA_VERSION && of(oldest)?.unwrap_or(version) > SCHEMA_VERSION {
        return Err(StoreError::TooNew { found: version, known: SCHEMA_VERSION });
    }
    Ok(version)
}

fn opened(from: i64, partitions: &[Vec<u8>], key: &[Vec<u8>]) -> Result<Opened, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { what: format!("store_meta has no valid {what}") };
    let count = partitions.first().map(|bytes| number(bytes)).transpose()?;
    let key = key.first().and_then(|bytes| bytes.as_slice().try_into().ok());
    Ok(Opened {
        migrated: Migrated { from, to: from.max(SCHEMA_VERSION) },
        partitions: count.and_then(Partitions::new).ok_or_else(|| corrupt(PARTITIONS))?,
        page_token_key: key.ok_or_else(|| corrupt(PAGE_TOKEN_KEY))?,
    })
}

pub(crate) fn number(bytes: &[u8]) -> Result<i64, StoreError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt { what: "store_meta holds no number".to_owned() })?;
    Ok(i64::from_be_bytes(bytes))
}

fn value(row: &Row<'_>) -> Result<Vec<u8>, StoreError> {
    Ok(row.bytes(0)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> impl Iterator<Item = &'static str> {
        std::iter::once(META_TABLE).chain(STEPS.iter().copied()).filter(|ddl| ddl.starts_with("CREATE TABLE"))
    }

    #[test]
    fn every_key_begins_with_the_partition() {
        for ddl in tables() {
            assert!(ddl.contains("PRIMARY KEY (part"), "{ddl}");
            assert!(ddl.contains("part BIGINT NOT NULL"), "{ddl}");
        }
    }

    #[test]
    fn tables_have_the_portable_types_alone() {
        for ddl in tables() {
            let columns = ddl.split_once('(').unwrap().1;
            for column in
                columns.split(",\n").map(str::trim).filter(|column| !column.starts_with("PRIMARY KEY"))
            {
                let kind = column.split_whitespace().nth(1).unwrap();
                assert!(["BIGINT", "TEXT", "BYTEA", "SMALLINT"].contains(&kind), "{column}");
            }
        }
    }

    #[test]
    fn every_step_only_adds() {
        for ddl in STEPS {
            let adds_column = ddl.starts_with("ALTER TABLE") && ddl.contains(" ADD COLUMN IF NOT EXISTS ");
            assert!(ddl.starts_with("CREATE ") || adds_column, "{ddl}");
            // A build that does not know the column writes rows without it.
            assert!(!adds_column || !ddl.contains("NOT NULL"), "{ddl}");
        }
    }

    #[test]
    fn tables_of_a_newer_build_are_served_while_it_says_so() {
        let of = |version: i64| vec![version.to_be_bytes().to_vec()];
        let newer = SCHEMA_VERSION + 3;
        assert_eq!(check_version(&[], &[]).unwrap(), 0);
        assert_eq!(check_version(&of(2), &[]).unwrap(), 2);
        assert_eq!(check_version(&of(newer), &of(SCHEMA_VERSION)).unwrap(), newer);
        // A build of before this rule wrote no such thing.
        for oldest in [of(SCHEMA_VERSION + 1), Vec::new()] {
            let error = check_version(&of(newer), &oldest).unwrap_err();
            assert!(error.to_string().contains("start a newer rampart"), "{error}");
        }
    }

    #[test]
    fn every_step_may_find_its_work_done_and_adds_no_unique_index() {
        for ddl in STEPS {
            assert!(ddl.contains("IF NOT EXISTS"), "{ddl}");
            for word in
                ["UNIQUE", "SERIAL", "IDENTITY", "GENERATED", "REFERENCES", "AUTOINCREMENT", "COLLATE"]
            {
                assert!(!ddl.contains(word), "{ddl}");
            }
        }
    }
}
