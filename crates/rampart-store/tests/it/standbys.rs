//! Two PostgreSQL servers, of which the second follows the first and takes its place: what is acknowledged both have, and
//! what became of a COMMIT whose answer was lost, the second knows.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rampart_core::access_key::{AccessKey, access_key_id};
use rampart_core::{Change, Refusal, ShareArn, TimestampMs};
use rampart_store::{Abort, Follower, Location, Options, Store, StoreError, Timeouts, Transaction, Work};
use rampart_testkit::mirror::{Following, Mirror};
use rampart_testkit::postgres::{ClusterOptions, Listen, PostgresCluster, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use crate::rows::{Apply, OWNER, account, share};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn pair() -> (PostgresCluster, PostgresCluster) {
    PostgresCluster::start_with_standby(&ClusterOptions::default()).unwrap()
}

fn location(ports: [u16; 2], database: &str) -> Location {
    let [first, second] = ports;
    format!("postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/{database}").parse().unwrap()
}

async fn open(location: &Location, timeouts: Timeouts) -> Store {
    let options = Options { timeouts, connections_max: 3, ..Options::default() };
    Store::open(location, options).await.unwrap().0
}

/// Asks again and again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let asked = timeout(PATIENCE, async {
        let mut ticks = interval(Duration::from_millis(10));
        while !is_so().await {
            ticks.tick().await;
        }
    });
    assert!(asked.await.is_ok(), "{what}");
}

/// Adds a resource to a share that has fewer.
#[derive(Clone)]
struct Count {
    share: ShareArn,
    /// With so many it finds its work done, and writes nothing.
    until: u32,
    runs: Arc<AtomicUsize>,
}

impl Count {
    fn to(until: u32) -> Self {
        Self { share: share(OWNER, 1).arn(), until, runs: Arc::default() }
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }
}

impl Work for Count {
    type Reply = u32;

    async fn run(&self, tx: &Transaction) -> Result<u32, Abort> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut share = tx.resource_share(self.share).await?.ok_or(Refusal::EntitiesMissing)?;
        if share.contents.resources < self.until {
            share.contents.resources += 1;
            tx.apply(&[Change::ShareStored(share.clone())], TimestampMs(1)).await?;
        }
        Ok(share.contents.resources)
    }
}

async fn make_share(store: &Store) {
    let part = store.partition_of(account(OWNER));
    store.write(part, Apply(vec![Change::ShareStored(share(OWNER, 1))])).await.unwrap();
}

async fn count(store: &Store, work: &Count) -> Result<u32, Abort> {
    store.write(store.partition_of(account(OWNER)), work.clone()).await
}

async fn counted(store: &Store) -> u32 {
    let share = store.reader().await.unwrap().resource_share(Count::to(0).share).await.unwrap();
    share.unwrap().contents.resources
}

#[track_caller]
fn assert_unavailable<T>(outcome: Result<T, Abort>) {
    match outcome {
        Err(Abort::Store(error)) if error.is_unavailable() => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was acknowledged"),
    }
}

/// The server's processes whose COMMIT waits for the standby, a line each.
fn waiting_commits(database: &TestDatabase) -> String {
    database.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'").unwrap()
}

/// Has a server give up a COMMIT that waits for the standby, as it does when it is stopped.
async fn end_waiting_commit(database: &TestDatabase) {
    until("a COMMIT waits", async || !waiting_commits(database).is_empty()).await;
    let waiting = waiting_commits(database);
    let process = waiting.trim();
    database.sql(&format!("SELECT pg_terminate_backend({process})")).unwrap();
    let left = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process}");
    until("it waits no more", async || database.sql(&left).unwrap().trim() == "0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_that_the_standby_does_not_have() {
    // Whoever set the server up thought otherwise, and who wrote the URL.
    let settings = vec![("synchronous_commit".to_owned(), "local".to_owned())];
    let options = ClusterOptions { settings, ..ClusterOptions::default() };
    let (primary, mut standby) = PostgresCluster::start_with_standby(&options).unwrap();
    let database = primary.create_database().unwrap();
    let timeouts = Timeouts { write: Duration::from_secs(1), ..Timeouts::default() };
    // A COMMIT that waits for a standby is no statement that takes too long.
    let url =
        format!("{}?options=-c%20statement_timeout%3D300%20-c%20synchronous_commit%3Doff", database.url());
    let store = open(&url.parse().unwrap(), timeouts).await;
    make_share(&store).await;
    standby.stop_immediately().unwrap();

    let work = Count::to(1);
    let writing = tokio::spawn({
        let (store, work) = (store.clone(), work.clone());
        async move { count(&store, &work).await }
    });
    // The server tells nobody that it did not come to that, and shows the row.
    end_waiting_commit(&database).await;
    match writing.await.unwrap() {
        Err(Abort::Store(StoreError::Unavailable { reason })) => {
            assert!(reason.contains("may have been done"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(counted(&store).await, 1);
    // So does the one that was to make sure of it. Who asks again finds it done, and is told when that is safe.
    end_waiting_commit(&database).await;
    let again = Count::to(1);
    assert_unavailable(count(&store, &again).await);
    assert_eq!(again.runs(), 1);
    end_waiting_commit(&database).await;
    let part = store.partition_of(account(OWNER));
    assert_unavailable(store.confirm(part).await);

    standby.start_again().unwrap();
    store.confirm(part).await.unwrap();
    assert_eq!(count(&store, &again).await.unwrap(), 1);
    assert_eq!(work.runs(), 1);
}

/// Stands before the first server. What is connected through it stays so when that server is gone, until it is cut; and
/// once it lets a COMMIT through whose answer never comes back.
struct Door {
    port: u16,
    answers: watch::Sender<Answers>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Pass,
    /// The next one to a COMMIT is lost, with all that follow.
    LoseNextCommit,
    Lost,
    Cut,
}

impl Door {
    async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door =
            Self { port: listener.local_addr().unwrap().port(), answers: watch::Sender::new(Answers::Pass) };
        let answers = door.answers.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Who is not connected to a server is not connected.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(forth(from_client, to_server));
                tokio::spawn(back(from_server, to_client, answers.clone()));
            }
        });
        door
    }

    /// Waits until the answer to a COMMIT was lost.
    async fn lost(&self) {
        let mut answers = self.answers.subscribe();
        let lost = answers.wait_for(|answers| *answers == Answers::Lost);
        assert!(timeout(PATIENCE, lost).await.is_ok(), "no COMMIT was answered");
    }
}

async fn forth(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        // The server may be gone: the store is not to notice by this.
        let _ = to.write_all(&bytes[..n]).await;
    }
}

async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, answers: watch::Sender<Answers>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut bytes).await {
        let is_commit = bytes[..n].windows(7).any(|window| window == b"COMMIT\0");
        if is_commit {
            answers.send_if_modified(|answers| {
                let loses = *answers == Answers::LoseNextCommit;
                if loses {
                    *answers = Answers::Lost;
                }
                loses
            });
        }
        if *answers.borrow() != Answers::Lost && to.write_all(&bytes[..n]).await.is_err() {
            return;
        }
    }
    let _ = answers.subscribe().wait_for(|answers| *answers == Answers::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_standby_has_is_found_there() {
    let (mut primary, mut standby) = pair();
    let database = primary.create_database().unwrap();
    let door = Door::before(primary.port()).await;
    let store = open(&location([door.port, standby.port()], database.name()), Timeouts::default()).await;
    make_share(&store).await;
    door.answers.send_replace(Answers::LoseNextCommit);
    let work = Count::to(7);
    let writing = tokio::spawn({
        let (store, work) = (store.clone(), work.clone());
        async move { count(&store, &work).await }
    });
    door.lost().await;
    primary.kill().unwrap();
    standby.promote().unwrap();
    door.answers.send_replace(Answers::Cut);
    assert_eq!(writing.await.unwrap().unwrap(), 1);
    assert_eq!(work.runs(), 1, "it was found, not done again");
    assert_eq!(counted(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_the_standby_does_not_have_is_done_there() {
    let (mut primary, mut standby) = pair();
    let database = primary.create_database().unwrap();
    let door = Door::before(primary.port()).await;
    let store = open(&location([door.port, standby.port()], database.name()), Timeouts::default()).await;
    make_share(&store).await;
    standby.stop_immediately().unwrap();
    let work = Count::to(7);
    let writing = tokio::spawn({
        let (store, work) = (store.clone(), work.clone());
        async move { count(&store, &work).await }
    });
    until("the COMMIT waits", async || !waiting_commits(&database).is_empty()).await;
    primary.kill().unwrap();
    standby.start_again().unwrap();
    // Meanwhile nothing can be written, and nobody waits for it.
    let began = Instant::now();
    let other = open_error(&location([primary.port(), standby.port()], database.name())).await;
    assert!(matches!(other, StoreError::Unavailable { .. }), "{other}");
    assert!(began.elapsed() < Timeouts::default().connect, "{:?}", began.elapsed());
    standby.promote().unwrap();
    door.answers.send_replace(Answers::Cut);
    assert_eq!(writing.await.unwrap().unwrap(), 1);
    assert_eq!(work.runs(), 2, "it was done again");
    assert_eq!(counted(&store).await, 1);
}

async fn open_error(location: &Location) -> StoreError {
    let Err(error) = Store::open(location, Options::default()).await else { panic!("it can be written") };
    error
}

/// Somebody does without the standby's word.
fn settle_for_less(database: &TestDatabase) {
    database.sql("ALTER SYSTEM SET synchronous_standby_names = ''").unwrap();
    database.sql("SELECT pg_reload_conf()").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_knows_more_than_who_took_over_begins_anew() {
    let (mut primary, mut standby) = pair();
    let database = primary.create_database().unwrap();
    let store = open(&location([primary.port(), standby.port()], database.name()), Timeouts::default()).await;
    make_share(&store).await;
    let (mut heard, mut follower) = (Following::default(), Follower::from_start(store.clone()));
    // This waits for the standby, and so for all that was done before.
    database.sql("CREATE TABLE all_of_it_is_there ()").unwrap();
    standby.stop_immediately().unwrap();
    settle_for_less(&database);
    count(&store, &Count::to(1)).await.unwrap();
    assert_eq!(follower.poll(&mut heard).await.unwrap(), 2);
    primary.kill().unwrap();
    standby.start_again().unwrap();
    standby.promote().unwrap();
    assert_eq!(counted(&store).await, 0);
    follower.poll(&mut heard).await.unwrap();
    assert_eq!(heard.forgotten, 1);
    heard.mirror.assert_same(&Mirror::of(&store.snapshot().await.unwrap()).await);
    count(&store, &Count::to(1)).await.unwrap();
    assert_eq!(follower.poll(&mut heard).await.unwrap(), 1);
}

async fn store_key(store: &Store, owner: &str, number: u8) {
    let owner = account(owner);
    let key = AccessKey {
        id: access_key_id(owner, [number; 5]),
        account: owner,
        user: "u".to_owned(),
        sealed_secret: vec![1],
        active: true,
        created: TimestampMs(1),
    };
    store.write(store.partition_of(owner), Apply(vec![Change::AccessKeyStored(key)])).await.unwrap();
}

/// Before anybody looks, who took over may have come as far again or further, with other writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_history_is_noticed_however_far_it_has_come() {
    let (mut primary, mut standby) = pair();
    let database = primary.create_database().unwrap();
    let store = open(&location([primary.port(), standby.port()], database.name()), Timeouts::default()).await;
    let owners = [OWNER, "100000000000", "100000000001"];
    let parts: BTreeSet<_> = owners.iter().map(|owner| store.partition_of(account(owner))).collect();
    assert_eq!(parts.len(), owners.len(), "in partitions of their own");
    make_share(&store).await;
    let mut told = (Following::default(), Follower::from_start(store.clone()));
    database.sql("CREATE TABLE all_of_it_is_there ()").unwrap();
    standby.stop_immediately().unwrap();
    settle_for_less(&database);
    for owner in owners {
        store_key(&store, owner, 1).await;
    }
    // One was told of it by the log, and one by the rows.
    let mut began = (Following::default(), Follower::of_all(store.clone()));
    for (heard, follower) in [&mut told, &mut began] {
        follower.poll(heard).await.unwrap();
        heard.mirror.assert_same(&Mirror::of(&store.snapshot().await.unwrap()).await);
        heard.forgotten = 0;
    }
    let versions = async || {
        let versions = store.reader().await.unwrap().caller_versions().await.unwrap();
        owners.map(|owner| versions.of(account(owner), Some(account(owner))))
    };
    let before = versions().await;
    primary.kill().unwrap();
    standby.start_again().unwrap();
    standby.promote().unwrap();
    assert_eq!(counted(&store).await, 0);
    // Less far, as far, and further.
    for (owner, numbers) in owners.into_iter().zip([2..2, 2..3, 2..5]) {
        for number in numbers {
            store_key(&store, owner, number).await;
        }
    }
    let after = versions().await;
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    for (heard, follower) in [&mut told, &mut began] {
        follower.poll(heard).await.unwrap();
        heard.mirror.assert_same(&Mirror::of(&store.snapshot().await.unwrap()).await);
        assert_eq!(heard.forgotten, owners.len());
        assert_eq!(follower.poll(heard).await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_that_can_be_written_is_found_wherever_it_is_named() {
    let (mut primary, mut standby) = pair();
    let database = primary.create_database().unwrap();
    // Takes connections, and never says anything.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute_port = mute.local_addr().unwrap().port();
    let timeouts = Timeouts { connect: Duration::from_secs(3), ..Timeouts::default() };
    let behind_mute = open(&location([mute_port, primary.port()], database.name()), timeouts).await;
    make_share(&behind_mute).await;
    let began = Instant::now();
    // A connection for each: none of them is looked for at the mute one again.
    let readers = [behind_mute.reader().await.unwrap(), behind_mute.reader().await.unwrap()];
    assert!(began.elapsed() < timeouts.connect / 2, "{:?}", began.elapsed());
    drop(readers);

    let store = open(&location([standby.port(), primary.port()], database.name()), timeouts).await;
    assert_eq!(count(&store, &Count::to(1)).await.unwrap(), 1);
    primary.kill().unwrap();
    assert_unavailable(count(&store, &Count::to(2)).await);
    assert!(store.check().await.is_err(), "a standby is not what it wants");
    standby.promote().unwrap();
    assert_eq!(count(&store, &Count::to(2)).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_unavailable_until_it_does() {
    let options = ClusterOptions { listen: Listen::Loopback, ..ClusterOptions::default() };
    let cluster = PostgresCluster::start(&options).unwrap();
    let database = cluster.create_database().unwrap();
    let store = open(&database.url().parse().unwrap(), Timeouts::default()).await;
    make_share(&store).await;
    // As some do when their disk is full. Connections that there are become so, too.
    let set = |value: &str| {
        database.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}")).unwrap();
        database.sql("SELECT pg_reload_conf()").unwrap();
    };
    set("on");
    until("it takes no writes", async || match count(&store, &Count::to(9)).await {
        Err(Abort::Store(StoreError::Unavailable { .. })) => true,
        Err(other) => panic!("{other:?}"),
        Ok(_) => false,
    })
    .await;
    database.sql("ALTER SYSTEM RESET default_transaction_read_only").unwrap();
    database.sql("SELECT pg_reload_conf()").unwrap();
    until("it takes writes again", async || count(&store, &Count::to(99)).await.is_ok()).await;
}
