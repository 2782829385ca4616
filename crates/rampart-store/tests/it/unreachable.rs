//! PostgreSQL that stops, comes back, or takes connections and never answers: calls fail in time, and go on as soon as
//! it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rampart_core::Change;
use rampart_store::{Abort, Location, Options, Store, StoreError, Timeouts};
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::engines;
use crate::rows::{Apply, OWNER, account, share};

/// Longer than a test's server takes, shorter than a test may.
const PATIENCE: Duration = Duration::from_millis(500);

fn options() -> Options {
    let timeouts = Timeouts { connect: PATIENCE, read: PATIENCE, write: PATIENCE };
    Options { timeouts, connections_max: 2, ..Options::default() }
}

fn cluster() -> PostgresCluster {
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    PostgresCluster::start(&options).unwrap()
}

#[track_caller]
fn assert_unavailable<T>(outcome: Result<T, StoreError>) {
    match outcome {
        Err(StoreError::Unavailable { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it answered"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_do_not_notice_that_the_server_was_restarted() {
    let mut cluster = cluster();
    let database = cluster.create_database().unwrap();
    let (store, _) = Store::open(&database.url().parse().unwrap(), options()).await.unwrap();
    let row = share(OWNER, 1);
    let part = store.partition_of(account(OWNER));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    // All the connections that there may be, each with its statement prepared.
    let readers = [store.reader().await.unwrap(), store.reader().await.unwrap()];
    for reader in &readers {
        assert!(reader.resource_share(row.arn()).await.unwrap().is_some());
    }
    cluster.stop_immediately().unwrap();
    cluster.start_again().unwrap();
    for reader in &readers {
        // Two that travel together find the same dead connection.
        let (one, other) = tokio::join!(reader.resource_share(row.arn()), reader.resource_share(row.arn()));
        assert_eq!(one.unwrap().unwrap(), row);
        assert_eq!(other.unwrap().unwrap(), row);
    }
    drop(readers);
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_does_not_notice_that_its_connection_was_ended() {
    let test = engines::postgres().await;
    let row = share(OWNER, 1);
    let part = test.store.partition_of(account(OWNER));
    test.store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let reader = test.store.reader().await.unwrap();
    assert!(reader.resource_share(row.arn()).await.unwrap().is_some());
    let Location::Postgres(url) = &test.location else { panic!("a PostgreSQL store") };
    let (admin, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(admin.query_one(end, &[]).await.unwrap().get::<_, i64>(0) > 0);
    assert_eq!(reader.resource_share(row.arn()).await.unwrap().unwrap(), row);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_unavailable_until_it_is_back() {
    let mut cluster = cluster();
    let database = cluster.create_database().unwrap();
    let location: Location = database.url().parse().unwrap();
    let (store, _) = Store::open(&location, options()).await.unwrap();
    let part = store.partition_of(account(OWNER));
    let write = || store.write(part, Apply(vec![Change::ShareStored(share(OWNER, 1))]));
    cluster.stop_immediately().unwrap();
    assert_unavailable(Store::open(&location, options()).await);
    assert_unavailable(store.check().await);
    assert!(matches!(write().await, Err(Abort::Store(StoreError::Unavailable { .. }))));
    cluster.start_again().unwrap();
    store.check().await.unwrap();
    write().await.unwrap();
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_told_apart() {
    let cluster = PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}"));
    let (known, unknown) = (cluster.create_database().unwrap(), cluster.url("missing"));
    let stranger = known.url().replace("user=postgres", "user=stranger");
    for url in [unknown, stranger, "postgres://host:port/db".to_owned()] {
        let refused = Store::open(&url.parse().unwrap(), options()).await;
        assert!(matches!(refused, Err(StoreError::Unusable { .. })), "{url}");
    }
}

#[tokio::test]
async fn a_store_that_has_much_to_do_is_still_there() {
    let test = engines::postgres().await;
    let (store, _) = Store::open(&test.location, options()).await.unwrap();
    let busy = [store.reader().await.unwrap(), store.reader().await.unwrap()];
    // No connection is free, and none comes free.
    assert_unavailable(store.reader().await);
    store.check().await.unwrap();
    drop(busy);
    store.check().await.unwrap();
}

/// Stands between the store and the server, and goes mute when told: connections stay, and nothing comes over them.
struct Proxy {
    port: u16,
    mute: Arc<AtomicBool>,
}

impl Proxy {
    /// Goes mute by itself when the store says `last_words`.
    async fn start(to: String, last_words: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mute = Arc::new(AtomicBool::new(false));
        let is_mute = Arc::clone(&mute);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                if is_mute.load(Ordering::Relaxed) {
                    held.push(client);
                    continue;
                }
                let (from_store, to_store) = client.into_split();
                let (from_server, to_server) = TcpStream::connect(&to).await.unwrap().into_split();
                tokio::spawn(copy(from_store, to_server, Arc::clone(&is_mute), last_words));
                tokio::spawn(copy(from_server, to_store, Arc::clone(&is_mute), None));
            }
        });
        Self { port, mute }
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mute: Arc<AtomicBool>,
    last_words: Option<&str>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        if last_words.is_some_and(|words| String::from_utf8_lossy(&bytes[..n]).contains(words)) {
            mute.store(true, Ordering::Relaxed);
        }
        if !mute.load(Ordering::Relaxed) && to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}

async fn behind_proxy(database: &TestDatabase, last_words: Option<&'static str>) -> (Proxy, Location) {
    let (_, address) = database.url().split_once('@').unwrap();
    let (address, name) = address.split_once('/').unwrap();
    let proxy = Proxy::start(address.to_owned(), last_words).await;
    let location = format!("postgres://postgres@127.0.0.1:{}/{name}", proxy.port).parse().unwrap();
    (proxy, location)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_is_not_answered_is_given_up() {
    let cluster = cluster();
    for last_words in ["CREATE TABLE IF NOT EXISTS store_meta", "SET LOCAL", "SET statement_timeout"] {
        let database = cluster.create_database().unwrap();
        let (proxy, location) = behind_proxy(&database, Some(last_words)).await;
        let opened = timeout(20 * PATIENCE, Store::open(&location, options())).await;
        assert_unavailable(opened.expect("it is given up in time"));
        assert!(proxy.mute.load(Ordering::Relaxed), "{last_words}");
    }
}

#[tokio::test]
async fn one_connection_is_enough() {
    let cluster = PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}"));
    let database = cluster.create_database().unwrap();
    let options = Options { connections_max: 1, ..options() };
    let (store, made) = Store::open(&database.url().parse().unwrap(), options).await.unwrap();
    assert_eq!(made.from, 0);
    let row = share(OWNER, 1);
    let part = store.partition_of(account(OWNER));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    assert_eq!(store.reader().await.unwrap().resource_share(row.arn()).await.unwrap(), Some(row));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_answers_is_given_up() {
    let cluster = cluster();
    let database = cluster.create_database().unwrap();
    let (proxy, location) = behind_proxy(&database, None).await;
    let (store, _) = Store::open(&location, options()).await.unwrap();
    let row = share(OWNER, 1);
    let part = store.partition_of(account(OWNER));
    let write = || store.write(part, Apply(vec![Change::ShareStored(row.clone())]));
    write().await.unwrap();
    let reader = store.reader().await.unwrap();

    proxy.mute.store(true, Ordering::Relaxed);
    let began = Instant::now();
    assert_unavailable(reader.resource_share(row.arn()).await);
    assert!(matches!(write().await, Err(Abort::Store(StoreError::Unavailable { .. }))));
    assert_unavailable(Store::open(&location, options()).await);
    assert!(began.elapsed() < 20 * PATIENCE, "{:?}", began.elapsed());

    // What was mute is not used again.
    proxy.mute.store(false, Ordering::Relaxed);
    drop(reader);
    write().await.unwrap();
    assert_eq!(store.reader().await.unwrap().resource_share(row.arn()).await.unwrap().unwrap(), row);
}
