//! PostgreSQL when things go wrong between the statements: two nodes at one head row, a COMMIT whose answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rampart_core::{Change, Refusal, ResourceShare, ShareArn, TimestampMs};
use rampart_store::{Abort, Location, Options, Store, Transaction, Work};
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::batches::{Beside, begin, begin_call};
use crate::engines;
use crate::rows::{Apply, OWNER, account, share};

/// Adds one to what it read, and to its runs.
pub(crate) struct Increment(pub(crate) ShareArn, pub(crate) Arc<AtomicUsize>);

impl Work for Increment {
    type Reply = u32;

    async fn run(&self, tx: &Transaction) -> Result<u32, Abort> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let mut share = tx.resource_share(self.0).await?.ok_or(Refusal::EntitiesMissing)?;
        share.contents.resources += 1;
        let count = share.contents.resources;
        tx.apply(&[Change::ShareStored(share)], TimestampMs(1)).await?;
        Ok(count)
    }
}

async fn count(store: &Store, arn: ShareArn) -> u32 {
    store.reader().await.unwrap().resource_share(arn).await.unwrap().unwrap().contents.resources
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_load_overtakes_the_head_row() {
    let test = engines::postgres().await;
    let Location::Postgres(url) = &test.location else { panic!("a PostgreSQL store") };
    let row = share(OWNER, 1);
    let part = test.store.partition_of(account(OWNER));
    test.store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    // Two more nodes whose connections know the load by heart, and not the head row's statement.
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let (node, _) = Store::open(&test.location, Options::default()).await.unwrap();
        assert_eq!(count(&node, row.arn()).await, 0);
        nodes.push(node);
    }
    // Somebody holds every head row.
    let (mut holder, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let (watcher, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let held = holder.transaction().await.unwrap();
    held.batch_execute("UPDATE log_head SET seq = seq").await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let writes: Vec<_> = nodes
        .into_iter()
        .map(|node| {
            let work = Increment(row.arn(), Arc::clone(&runs));
            tokio::spawn(async move { node.write(part, work).await })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let both_wait = async {
        while watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), both_wait).await.expect("both wait for the head row");
    held.commit().await.unwrap();
    let mut counts = Vec::new();
    for write in writes {
        counts.push(write.await.unwrap().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 2], "each saw what came before it");
    assert_eq!(count(&test.store, row.arn()).await, 2);
}

/// Stands between the store and PostgreSQL, and once lets a COMMIT through whose answer never comes back.
async fn proxy(to: String) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let armed = Arc::new(AtomicBool::new(false));
    let spring = Arc::clone(&armed);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&to).await.unwrap();
            let (client, server) = (client.into_split(), server.into_split());
            tokio::spawn(back(server.0, client.1, Arc::clone(&spring)));
            tokio::spawn(forth(client.0, server.1, Arc::clone(&spring)));
        }
    });
    (port, armed)
}

/// From the store to the server. A COMMIT springs the trap: it goes through, then the store's side is cut.
async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, armed: Arc<AtomicBool>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        let commits = bytes[..n].windows(7).any(|window| window == b"COMMIT\0");
        if to.write_all(&bytes[..n]).await.is_err() || (commits && armed.load(Ordering::Relaxed)) {
            return;
        }
    }
}

/// From the server to the store: mute once the trap is set and something was answered to the COMMIT.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, armed: Arc<AtomicBool>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        let committed = bytes[..n].windows(7).any(|window| window == b"COMMIT\0");
        if committed && armed.swap(false, Ordering::Relaxed) {
            // The answer is lost, and the connection with it.
            return;
        }
        if to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
}

/// A server, and a store that reaches it through a proxy.
struct Proxied {
    store: Store,
    armed: Arc<AtomicBool>,
    /// Past the proxy.
    location: Location,
    _database: TestDatabase,
    _cluster: PostgresCluster,
}

impl Proxied {
    async fn start() -> Self {
        let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
        let cluster = PostgresCluster::start(&options).unwrap();
        let database = cluster.create_database().unwrap();
        let (_, address) = database.url().split_once('@').unwrap();
        let (address, name) = address.split_once('/').unwrap();
        let (port, armed) = proxy(address.to_owned()).await;
        let proxied: Location = format!("postgres://postgres@127.0.0.1:{port}/{name}").parse().unwrap();
        let (store, _) = Store::open(&proxied, Options::default()).await.unwrap();
        let location = database.url().parse().unwrap();
        Self { store, armed, location, _database: database, _cluster: cluster }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_looked_up_and_not_repeated() {
    let Proxied { store, armed, .. } = &Proxied::start().await;
    let row = ResourceShare { ..share(OWNER, 1) };
    let part = store.partition_of(account(OWNER));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    armed.store(true, Ordering::Relaxed);
    let answered = store.write(part, Increment(row.arn(), Arc::clone(&runs))).await.unwrap();
    assert!(!armed.load(Ordering::Relaxed), "the trap was sprung");
    assert_eq!(answered, 1);
    assert_eq!(runs.load(Ordering::Relaxed), 1, "it was found in the log, not run again");
    assert_eq!(count(store, row.arn()).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_together_is_looked_up_together() {
    let Proxied { store, armed, location, .. } = &Proxied::start().await;
    // In the partition of leases, which leave nothing in the log.
    let fence = store.take_lease("work", Uuid::from_u128(1), None).await.unwrap().unwrap();
    let mut owners = (111_111_111_111_u64..).map(|number| number.to_string());
    let is_beside_leases =
        |owner: &String| format!("{:?}", store.partition_of(account(owner))).contains("(0)");
    let owner = owners.find(is_beside_leases).unwrap();
    let (part, row) = (store.partition_of(account(&owner)), share(&owner, 1));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let beside = Beside::of(location, part).await;
    beside.hold().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let increment = || Increment(row.arn(), Arc::clone(&runs));
    armed.store(true, Ordering::Relaxed);
    let renewed = {
        let store = store.clone();
        begin_call(async move { store.renew_lease(fence).await })
    };
    let writes = [begin(store, part, increment()), begin(store, part, increment())];
    beside.let_go().await;
    assert!(renewed.await.unwrap().unwrap());
    for (write, count) in writes.into_iter().zip(1..) {
        assert_eq!(write.await.unwrap().unwrap(), count);
    }
    assert!(!armed.load(Ordering::Relaxed), "the trap was sprung");
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(count(store, row.arn()).await, 2);
}
