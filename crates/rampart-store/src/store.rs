//! The store as operations see it: where it is, a reader of what is committed, and the transaction that writes.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rampart_core::{AccountId, TimestampMs};

use crate::connection::Connection;
use crate::figures::{Counts, Figures};
use crate::migrations::Migrated;
use crate::postgres::{Address, PostgresStore};
use crate::sqlite::{ReadLease, SqliteStore};
use crate::{Abort, PartitionId, Partitions, Snapshot, StoreError, Transaction, Work};

/// Where a store is, as `--store` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
    /// `postgres://…`, with its password.
    Postgres(String),
}

/// A `--store` that names no store.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LocationError {
    /// It has neither form.
    #[error("write the store as sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Form,
    /// A mode of TLS that there is not.
    #[error("sslmode is disable, prefer, require or verify-full, not '{0}'")]
    SslMode(String),
    /// A kind of session that cannot be used.
    #[error(
        "rampart writes: target_session_attrs is read-write, which is what it means without it, not '{0}'"
    )]
    Session(String),
    /// PostgreSQL's driver does not understand the URL.
    #[error("the URL of PostgreSQL is not understood: {0}")]
    Url(String),
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // What is wrong with the rest is said when it is opened.
            return match Address::parse(text) {
                Err(error @ (LocationError::SslMode(_) | LocationError::Session(_))) => Err(error),
                _ => Ok(Self::Postgres(text.to_owned())),
            };
        }
        Err(LocationError::Form)
    }
}

impl std::fmt::Display for Location {
    /// Without a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl Location {
    /// The database that PostgreSQL is asked for when the URL names none: the one of the user's name.
    pub fn implied_database(&self) -> Option<String> {
        let Self::Postgres(url) = self else { return None };
        let config = Address::parse(url).ok()?.config;
        let is_named = config.get_dbname().is_some_and(|name| !name.is_empty());
        config.get_user().filter(|_| !is_named).map(str::to_owned)
    }
}

/// The parameters of a PostgreSQL URL that are printed. What is not known to be harmless is not.
const SHOWN_PARAMETERS: [&str; 12] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "load_balance_hosts",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// Cuts generously: of a URL that is written wrong nobody knows where its password ends.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|_| Address::parse(url).is_ok()) else {
        return "postgres://***".to_owned();
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((credentials, rest)) => (shown_credentials(credentials), rest),
        None => (String::new(), rest),
    };
    let Some((place, parameters)) = rest.split_once('?') else {
        return format!("{scheme}://{user}{rest}");
    };
    let parameters: Vec<_> = parameters.split('&').map(shown_parameter).collect();
    format!("{scheme}://{user}{place}?{}", parameters.join("&"))
}

fn shown_credentials(credentials: &str) -> String {
    let (user, has_password) =
        credentials.split_once(':').map_or((credentials, false), |(user, _)| (user, true));
    let is_name = user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.%".contains(&b));
    match (is_name, has_password) {
        (true, false) => format!("{user}@"),
        (true, true) => format!("{user}:***@"),
        (false, _) => "***@".to_owned(),
    }
}

fn shown_parameter(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if SHOWN_PARAMETERS.contains(&name) => pair.to_owned(),
        Some((name, _)) if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => format!("{name}=***"),
        _ => "***".to_owned(),
    }
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Partitions of a PostgreSQL store that is created now; an existing one keeps its own.
    pub partitions: Partitions,
    /// Connections to PostgreSQL at the most. Where there are several, a quarter is left to those who read.
    pub connections_max: usize,
    /// What PostgreSQL commits together at the most.
    pub together: Together,
    /// A PEM file with the authorities that a PostgreSQL server must be certified by, when its URL names none.
    pub authorities: Option<PathBuf>,
    /// How long PostgreSQL may take.
    pub timeouts: Timeouts,
}

/// How much one transaction of PostgreSQL takes of what waits for its partition. Meanwhile other nodes wait for the
/// partition, and followers for the commit.
#[derive(Clone, Copy, Debug)]
pub struct Together {
    /// Writes. Each by itself: 1.
    pub writes_max: usize,
    /// Changes, after which it takes no further write.
    pub changes_max: usize,
    /// After so long it takes no further write. It never waits for one.
    pub lasts_max: Duration,
}

impl Default for Together {
    fn default() -> Self {
        // PostgreSQL notes 64 savepoints of a transaction where others look first. With more of them, all that is read
        // meanwhile gets slower, on every connection.
        Self { writes_max: 64, changes_max: 1_000, lasts_max: Duration::from_millis(100) }
    }
}

/// How long PostgreSQL may take before a call is answered that the store is unavailable.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To let us in; and how long a call waits for a connection to come free.
    pub connect: Duration,
    /// To answer one query of a read.
    pub read: Duration,
    /// To answer one statement of a write, which may have to wait for other writers.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        // A write's is above what the server itself allows a statement: its reason is better than our guess.
        let [connect, read, write] = [5, 6, 16].map(Duration::from_secs);
        Self { connect, read, write }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            partitions: Partitions::POSTGRES_DEFAULT,
            connections_max: 16,
            together: Together::default(),
            authorities: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// An open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    driver: Driver,
    partitions: Partitions,
    page_token_key: Arc<[u8; 32]>,
    counts: Arc<Counts>,
}

#[derive(Clone)]
enum Driver {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Store {
    /// Opens the store at `location`, making it if there is none, and brings its tables up to date.
    pub async fn open(location: &Location, options: Options) -> Result<(Self, Migrated), StoreError> {
        let counts = Arc::<Counts>::default();
        let (driver, opened) = match location {
            Location::Sqlite(path) => {
                let (store, opened) = SqliteStore::open(path)?;
                (Driver::Sqlite(Arc::new(store)), opened)
            }
            Location::Postgres(url) => {
                let (store, opened) = PostgresStore::open(url, &options, Arc::clone(&counts)).await?;
                (Driver::Postgres(Arc::new(store)), opened)
            }
        };
        let page_token_key = Arc::new(opened.page_token_key);
        let store = Self { driver, partitions: opened.partitions, page_token_key, counts };
        Ok((store, opened.migrated))
    }

    /// Where the state of `owner` lives.
    pub fn partition_of(&self, owner: AccountId) -> PartitionId {
        self.partitions.of(owner)
    }

    pub(crate) fn partitions(&self) -> Partitions {
        self.partitions
    }

    /// Whether other processes may serve this store beside this one.
    pub fn has_many_nodes(&self) -> bool {
        matches!(self.driver, Driver::Postgres(_))
    }

    /// The key that authenticates paging tokens: one per store, so that every node takes every node's tokens.
    pub fn page_token_key(&self) -> &[u8; 32] {
        &self.page_token_key
    }

    /// A view of what is committed. On SQLite all its queries see one snapshot, on PostgreSQL each its own.
    pub async fn reader(&self) -> Result<Reader, StoreError> {
        Ok(match &self.driver {
            Driver::Sqlite(store) => {
                let lease = store.lease()?;
                let connection = Connection::Sqlite(lease.connection());
                Reader { connection, partitions: self.partitions, _lease: Some(lease) }
            }
            Driver::Postgres(store) => {
                let connection = Connection::Postgres(Arc::new(store.link().await?));
                Reader { connection, partitions: self.partitions, _lease: None }
            }
        })
    }

    /// All rows as of now. Keep it no longer than needed: the engines keep for it what was overwritten since.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        if let Driver::Postgres(store) = &self.driver {
            let client = store.snapshot().await?;
            let connection = Connection::Postgres(Arc::new(client));
            return Ok(Snapshot::new(Reader { connection, partitions: self.partitions, _lease: None }));
        }
        self.reader().await.map(Snapshot::new)
    }

    /// A view of what is committed that waits for no connection to come free.
    pub(crate) async fn reader_at_once(&self) -> Result<Reader, StoreError> {
        match &self.driver {
            Driver::Sqlite(_) => self.reader().await,
            Driver::Postgres(store) => {
                let connection = Connection::Postgres(Arc::new(store.link_at_once().await?));
                Ok(Reader { connection, partitions: self.partitions, _lease: None })
            }
        }
    }

    /// Runs `work` in a transaction of `part`. When this returns `Ok`, what it wrote is durable; when it returns an
    /// error, nothing was written, but for one case: [`StoreError::Unavailable`] may also say that PostgreSQL did not
    /// answer a COMMIT, and then not whether it was done.
    pub async fn write<W: Work>(&self, part: PartitionId, work: W) -> Result<W::Reply, Abort> {
        let outcome = match &self.driver {
            Driver::Sqlite(store) => store.write(part, work).await,
            Driver::Postgres(store) => store.write(part, work).await,
        };
        self.counts.ended(&outcome);
        outcome
    }

    /// Waits until what was read of a partition is as durable as what [`Store::write`] wrote: a PostgreSQL that was stopped
    /// while a COMMIT waited for its standby shows what that does not have. For who acknowledges what it has only read.
    pub async fn confirm(&self, part: PartitionId) -> Result<(), Abort> {
        match &self.driver {
            Driver::Sqlite(_) => Ok(()),
            Driver::Postgres(_) => self.write(part, NoWork).await,
        }
    }

    /// How its writes ended so far, and what it is at now.
    pub fn figures(&self) -> Figures {
        self.counts.read(match &self.driver {
            Driver::Sqlite(store) => store.figures(),
            Driver::Postgres(store) => store.figures(),
        })
    }

    /// Removes everything but the store's own settings. `now` is when, for the change log.
    pub async fn empty(&self, now: TimestampMs) -> Result<(), Abort> {
        for part in self.partitions.all() {
            self.write(part, crate::tables::EmptyPartition(now)).await?;
        }
        Ok(())
    }

    /// Stops taking writes, and closes. On SQLite those that are queued are done first. On PostgreSQL those that have a
    /// connection go on, and those that wait for one fail; nobody waits for either here.
    pub async fn close(&self) {
        match &self.driver {
            Driver::Sqlite(store) => store.close().await,
            Driver::Postgres(store) => store.close(),
        }
    }
}

/// Its COMMIT is what it is for.
struct NoWork;

impl Work for NoWork {
    type Reply = ();

    async fn run(&self, _: &Transaction) -> Result<(), Abort> {
        Ok(())
    }
}

/// A view of the store. Its queries stand in `tables`.
pub struct Reader {
    pub(crate) connection: Connection,
    pub(crate) partitions: Partitions,
    _lease: Option<ReadLease>,
}

impl Reader {
    /// The reader of a write transaction.
    pub(crate) fn of_transaction(connection: Connection, partitions: Partitions) -> Self {
        Self { connection, partitions, _lease: None }
    }

    pub(crate) fn part_of(&self, owner: AccountId) -> i64 {
        self.partitions.of(owner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_printed_without_its_password() {
        for (url, shown) in [
            ("sqlite:./rampart.db", "sqlite:./rampart.db"),
            ("postgres://host/db", "postgres://host/db"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://me:s3:cr@t@host:5432/db", "postgres://me:***@host:5432/db"),
            (
                "postgres:///db?host=/run&password=secret&user=me",
                "postgres:///db?host=/run&password=***&user=me",
            ),
            ("postgres://me:secret@one:1,two:2/db", "postgres://me:***@one:1,two:2/db"),
            ("postgres://me:pa/ss@host/db", "postgres://me:***@host/db"),
            ("postgres://me:p@ss@host/db", "postgres://me:***@host/db"),
            ("postgres://me:p?ss@host/db", "postgres://me:***@host/db"),
            ("postgres://host/db?password=a@b/c", "postgres://***@b/c"),
            (
                "postgres://host/db?password=a&password=secret&user=me",
                "postgres://host/db?password=***&password=***&user=me",
            ),
            ("postgres://host/db?p%61ssword=secret", "postgres://host/db?***"),
            ("postgres://host/db?options=-csecret", "postgres://host/db?options=***"),
            ("postgres://me:secret/db", "postgres://***"),
        ] {
            assert_eq!(url.parse::<Location>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_mode_of_tls_that_there_is_not_is_refused() {
        let refused = "postgres://host/db?sslmode=verify-ca".parse::<Location>();
        assert_eq!(refused, Err(LocationError::SslMode("verify-ca".to_owned())));
        for mode in ["disable", "prefer", "require", "verify-full"] {
            let url = format!("postgres://me:secret@host/db?sslmode={mode}&sslrootcert=ca.pem");
            let shown = format!("postgres://me:***@host/db?sslmode={mode}&sslrootcert=ca.pem");
            assert_eq!(url.parse::<Location>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_database_that_is_not_named_is_the_users() {
        for (url, database) in [
            ("postgres://me:secret@host", Some("me")),
            ("postgres://me@host/", Some("me")),
            ("postgres://host?user=me", Some("me")),
            ("postgres://me@host/db", None),
            ("postgres://me@host?dbname=db", None),
            ("sqlite:rampart.db", None),
        ] {
            let location: Location = url.parse().unwrap();
            assert_eq!(location.implied_database().as_deref(), database, "{url}");
        }
    }

    #[test]
    fn other_texts_name_no_store() {
        for text in ["", "sqlite:", "rampart.db", "mysql://host/db"] {
            assert_eq!(text.parse::<Location>(), Err(LocationError::Form));
        }
    }
}
