//! Followers of the change log: nothing is missed and nothing is told twice, whoever writes, stalls or dies meanwhile.

use std::collections::BTreeMap;
use std::future::pending;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rampart_core::change::CHANGE_FORMAT;
use rampart_core::{Change, Refusal, TimestampMs};
use rampart_store::{
    Abort, FOLLOW_EVERY, Follow, Follower, Location, LogEntry, LogPosition, Options, PartitionId, Snapshot,
    Store, Transaction, Work,
};
use rampart_testkit::dice::Dice;
use rampart_testkit::mirror::{Following, Mirror};
use rampart_testkit::postgres::PostgresCluster;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::engines::{TestStore, on_both};
use crate::rows::{Apply, account, share};

const SEED: u64 = 61_803;
const WRITERS: u64 = 6;
const WRITES: u64 = 60;

/// Writes a share, some of them slowly, some of them in vain.
struct Write {
    owner: String,
    number: u128,
    slow: bool,
    in_vain: bool,
    at: TimestampMs,
}

impl Work for Write {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&[Change::ShareStored(share(&self.owner, self.number))], self.at).await?;
        if self.slow {
            // The transaction stays open for longer than a follower waits between two looks.
            let _ = timeout(FOLLOW_EVERY * 2, pending::<()>()).await;
        }
        if self.in_vain { Err(Refusal::EntitiesMissing.into()) } else { Ok(()) }
    }
}

async fn write(store: &Store, owner: &str, number: u128, at: i64) {
    let work = Write { owner: owner.to_owned(), number, slow: false, in_vain: false, at: TimestampMs(at) };
    store.write(store.partition_of(account(owner)), work).await.unwrap();
}

async fn rows_of(store: &Store) -> Mirror {
    Mirror::of(&store.snapshot().await.unwrap()).await
}

/// Every entry once, and each partition's in the order in which it was written.
#[track_caller]
fn assert_in_order(told: &[(PartitionId, LogPosition)]) {
    let mut last: BTreeMap<PartitionId, LogPosition> = BTreeMap::new();
    for (part, position) in told {
        let before = last.insert(*part, *position);
        assert!(before.is_none_or(|before| before < *position), "{part:?}: {before:?}, then {position:?}");
    }
}

/// Writers on two nodes, of which one may be slow; how many of their writes were acknowledged.
async fn write_much(nodes: [Store; 2], slow: bool) -> usize {
    let writers = (0..WRITERS).map(|writer| {
        let store = nodes[usize::try_from(writer % 2).unwrap()].clone();
        tokio::spawn(async move {
            let mut dice = Dice::seeded(SEED + writer);
            let mut done = 0;
            for n in 0..WRITES {
                let owner = format!("{:012}", 100_000_000_000 + u64::try_from(dice.below(9)).unwrap());
                let number = u128::from(writer * 1_000_000 + n);
                let (slow, in_vain) = (slow && dice.below(12) == 0, dice.below(6) == 0);
                let part = store.partition_of(account(&owner));
                let work = Write { owner, number, slow, in_vain, at: TimestampMs(1) };
                done += usize::from(store.write(part, work).await.is_ok());
            }
            done
        })
    });
    let mut acknowledged = 0;
    for writer in writers.collect::<Vec<_>>() {
        acknowledged += writer.await.unwrap();
    }
    acknowledged
}

/// Follows `store` until the returned sender is dropped or used; then tells what it heard, all of it.
fn follow(store: Store) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Following>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let following = tokio::spawn(async move {
        let mut following = Following::default();
        let mut follower = Follower::of_all(store);
        let stopped = async {
            let _ = stopped.await;
        };
        follower.run(&mut following, Duration::from_millis(1), stopped).await;
        follower.poll(&mut following).await.unwrap();
        following
    });
    (stop, following)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_under_concurrent_and_slow_writers() {
    on_both(async |test: TestStore| {
        let is_postgres = matches!(test.location, Location::Postgres(_));
        // Nodes of their own where there can be several.
        let node = async || {
            if is_postgres {
                Store::open(&test.location, Options::default()).await.unwrap().0
            } else {
                test.store.clone()
            }
        };
        let (second, third) = (node().await, node().await);
        let (stop, following) = follow(third);
        // Work inside a transaction of SQLite waits for the store alone.
        let acknowledged = write_much([test.store.clone(), second], is_postgres).await;
        drop(stop);
        let heard = following.await.unwrap();
        assert_in_order(&heard.told);
        // What was told before the follower had begun came as rows.
        let began_with = acknowledged - heard.told.len();
        assert!(began_with < acknowledged / 2, "it followed hardly anything: {began_with} of {acknowledged}");
        let rows = rows_of(&test.store).await;
        assert_eq!(rows.len(), acknowledged);
        heard.mirror.assert_same(&rows);
    })
    .await;
}

/// A node's connections are cut again and again, as when it is killed: what it had not committed is not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_when_nodes_are_killed() {
    let test = crate::engines::postgres().await;
    let (doomed, _) = Store::open(&test.location, Options::default()).await.unwrap();
    let Location::Postgres(url) = &test.location else { unreachable!("it is PostgreSQL") };
    let (killer, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let done = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&done);
    let (stop, following) = follow(test.store.clone());
    let killing = tokio::spawn(async move {
        let mut kills = 0;
        while !over.load(Ordering::Relaxed) {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                          WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
            kills += killer.query(cut, &[]).await.unwrap().len();
            let _ = timeout(Duration::from_millis(15), pending::<()>()).await;
        }
        kills
    });
    let acknowledged = write_much([doomed.clone(), doomed], false).await;
    done.store(true, Ordering::Relaxed);
    let kills = killing.await.unwrap();
    drop(stop);
    let heard = following.await.unwrap();
    assert!(kills > 3, "hardly anything was killed: {kills}");
    assert_in_order(&heard.told);
    let rows = rows_of(&test.store).await;
    assert!(rows.len() >= acknowledged, "{} rows of {acknowledged} writes", rows.len());
    heard.mirror.assert_same(&rows);
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_follower_that_is_too_far_behind_begins_anew() {
    on_both(async |test: TestStore| {
        let (store, owner) = (&test.store, "100000000000");
        let part = store.partition_of(account(owner));
        let mut heard = Following::default();
        let mut follower = Follower::from_now(store.clone()).await.unwrap();
        for number in 1..=10 {
            write(store, owner, number, i64::try_from(number).unwrap()).await;
        }
        follower.poll(&mut heard).await.unwrap();
        assert_eq!((heard.told.len(), heard.forgotten), (10, 0));
        for number in 11..=20 {
            write(store, owner, number, i64::try_from(number).unwrap()).await;
        }
        // What it has seen may go; it goes on from where it is.
        assert_eq!(trim(store, part, 11, 1000).await, 10);
        let reader = store.reader().await.unwrap();
        assert_eq!(reader.logs_older_than(TimestampMs(11)).await.unwrap(), []);
        assert_eq!(reader.logs_older_than(TimestampMs(12)).await.unwrap(), [part]);
        drop(reader);
        follower.poll(&mut heard).await.unwrap();
        assert_eq!((heard.told.len(), heard.forgotten), (20, 0));
        for number in 21..=30 {
            write(store, owner, number, i64::try_from(number).unwrap()).await;
        }
        // What it has not seen is gone: it is told the rows.
        assert_eq!(trim(store, part, 26, 1000).await, 15);
        follower.poll(&mut heard).await.unwrap();
        assert_eq!((heard.told.len(), heard.forgotten), (20, 1));
        heard.mirror.assert_same(&rows_of(store).await);
        write(store, owner, 31, 31).await;
        assert_eq!(follower.poll(&mut heard).await.unwrap(), 1);
        assert_eq!((heard.told.len(), heard.forgotten, heard.mirror.len()), (21, 1, 31));
        // Nothing is left of what is trimmed, and nothing more goes than was asked for.
        assert_eq!(trim(store, part, 100, 1000).await, 6);
        assert_eq!(trim(store, part, 100, 1000).await, 0);
    })
    .await;
}

async fn trim(store: &Store, part: PartitionId, at: i64, limit: u32) -> usize {
    struct Trim(i64, u32);

    impl Work for Trim {
        type Reply = usize;

        async fn run(&self, tx: &Transaction) -> Result<usize, Abort> {
            Ok(tx.trim_log(TimestampMs(self.0), self.1).await?)
        }
    }
    store.write(part, Trim(at, limit)).await.unwrap()
}

#[tokio::test]
async fn an_emptied_partition_is_told_as_such() {
    on_both(async |test: TestStore| {
        let (store, owner) = (&test.store, "100000000000");
        let mut heard = Following::default();
        let mut follower = Follower::of_all(store.clone());
        write(store, owner, 1, 1).await;
        follower.poll(&mut heard).await.unwrap();
        assert_eq!(heard.mirror.len(), 1);
        store.empty(TimestampMs(3)).await.unwrap();
        assert_eq!(store.reader().await.unwrap().logs_older_than(TimestampMs(3)).await.unwrap(), []);
        write(store, owner, 2, 2).await;
        follower.poll(&mut heard).await.unwrap();
        assert_eq!(heard.mirror.len(), 1);
        heard.mirror.assert_same(&rows_of(store).await);
    })
    .await;
}

#[tokio::test]
async fn a_partition_whose_log_was_trimmed_is_emptied_too() {
    on_both(async |test: TestStore| {
        let (store, owner) = (&test.store, "100000000000");
        write(store, owner, 1, 1).await;
        assert_eq!(trim(store, store.partition_of(account(owner)), 100, 1000).await, 1);
        store.empty(TimestampMs(3)).await.unwrap();
        assert_eq!(rows_of(store).await.len(), 0);
    })
    .await;
}

/// Writes these shares at once: the store commits some of them together.
async fn write_together(store: &Store, owner: &str, numbers: Range<u128>) {
    let part = store.partition_of(account(owner));
    let writes = numbers.map(|number| {
        let work = Apply(vec![Change::ShareStored(share(owner, number))]);
        let store = store.clone();
        tokio::spawn(async move { store.write(part, work).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
}

/// A group of operations that committed together has one transaction and many places: a page may end between these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_the_log_may_end_within_a_group() {
    on_both(async |test: TestStore| {
        let mut heard = Following::default();
        let mut follower = Follower::from_now(test.store.clone()).await.unwrap();
        for some in 0..13_u128 {
            write_together(&test.store, "100000000000", some * 100..some * 100 + 100).await;
        }
        assert_eq!(follower.poll(&mut heard).await.unwrap(), 1_300);
        assert_in_order(&heard.told);
        assert!(heard.told.iter().any(|(_, position)| position.idx > 0), "nothing was committed together");
        heard.mirror.assert_same(&rows_of(&test.store).await);
    })
    .await;
}

/// Trims the log as soon as it was told a page of it: of the transaction that the page ended in nothing is left, and of
/// those after it everything.
struct TrimmedMeanwhile {
    heard: Following,
    store: Store,
    part: PartitionId,
    /// What is told before, and how far the trimming looks.
    after: usize,
    limit: u32,
}

impl Follow for TrimmedMeanwhile {
    fn forget(&mut self, part: PartitionId) {
        self.heard.forget(part);
    }

    fn rows(&mut self, part: PartitionId, rows: Vec<Change>) {
        self.heard.rows(part, rows);
    }

    fn entry(&mut self, part: PartitionId, entry: LogEntry) {
        self.heard.entry(part, entry);
        if self.heard.told.len() == self.after {
            let trimming = trim(&self.store, self.part, 100, self.limit);
            tokio::task::block_in_place(|| Handle::current().block_on(trimming));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_trimmed_between_two_pages_is_not_missed() {
    const PAGE: usize = 500;
    on_both(async |test: TestStore| {
        let store = &test.store;
        // What commits together is up to the store: until a page ends in the middle of it.
        for owner in 100_000_000_000_u64..100_000_000_030 {
            let owner = format!("{owner}");
            let part = store.partition_of(account(&owner));
            let mut follower = Follower::from_now(store.clone()).await.unwrap();
            write_together(store, &owner, 0..700).await;
            let mut all = Following::default();
            Follower::from_start(store.clone()).poll(&mut all).await.unwrap();
            let told: Vec<_> = all.told.iter().filter(|(of, _)| *of == part).map(|(_, at)| *at).collect();
            let last = told[told.len() - 700..][PAGE - 1];
            let of_last = told.iter().filter(|at| at.seq <= last.seq).count();
            if !told.contains(&LogPosition { seq: last.seq, idx: last.idx + 1 }) || of_last == told.len() {
                continue;
            }
            // One more than goes: so all of that transaction does, and nothing after it.
            let limit = u32::try_from(of_last + 1).unwrap();
            let heard = Following::default();
            let mut heard = TrimmedMeanwhile { heard, store: store.clone(), part, after: PAGE, limit };
            follower.poll(&mut heard).await.unwrap();
            let heard = heard.heard;
            let rows = heard.mirror.len();
            assert!(rows >= 700, "{rows}");
            return;
        }
        panic!("no page ended in the middle of what was committed together");
    })
    .await;
}

/// The levels of what a follower says in the log of the process.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<Level>>>);

impl Subscriber for Said {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "rampart_store::follower"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn what_cannot_be_followed_is_said_once_and_once_more_when_it_is_over() {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let (store, _) = Store::open(&database.url().parse().unwrap(), Options::default()).await.unwrap();
    let mut follower = Follower::from_now(store.clone()).await.unwrap();
    write(&store, "100000000000", 1, 1).await;
    let rewrite = |from: u32, to: u32| {
        let sql = format!("UPDATE change_log SET payload = replace(payload, '\"v\":{from},', '\"v\":{to},')");
        database.sql(&sql).unwrap();
    };
    // Of a newer build.
    rewrite(CHANGE_FORMAT, CHANGE_FORMAT + 1);
    let (said, mut heard) = (Said::default(), Following::default());
    let listening = tracing::subscriber::set_default(said.clone());
    let until_said = async |level: Level| {
        while !said.0.lock().unwrap().contains(&level) {
            let _ = timeout(Duration::from_millis(5), pending::<()>()).await;
        }
    };
    let stop = async {
        until_said(Level::WARN).await;
        // It fails some more times.
        let _ = timeout(Duration::from_millis(50), pending::<()>()).await;
        rewrite(CHANGE_FORMAT + 1, CHANGE_FORMAT);
        until_said(Level::INFO).await;
    };
    follower.run(&mut heard, Duration::from_millis(1), stop).await;
    drop(listening);
    assert_eq!(*said.0.lock().unwrap(), [Level::WARN, Level::INFO]);
    assert_eq!(heard.told.len(), 1);
}

/// Two nodes write one partition at once, many writes at a time, some of them slow and some in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_of_what_nodes_commit_together() {
    let test = crate::engines::postgres().await;
    let (second, _) = Store::open(&test.location, Options::default()).await.unwrap();
    let (stop, following) = follow(test.store.clone());
    let owner = "100000000000";
    let part = test.store.partition_of(account(owner));
    let writers = (0..40_u64).map(|writer| {
        let store = if writer % 2 == 0 { test.store.clone() } else { second.clone() };
        tokio::spawn(async move {
            let mut dice = Dice::seeded(SEED + writer);
            let mut done = 0;
            for n in 0..15 {
                let (slow, in_vain) = (dice.below(60) == 0, dice.below(6) == 0);
                let number = u128::from(writer * 1_000_000 + n);
                let work = Write { owner: owner.to_owned(), number, slow, in_vain, at: TimestampMs(1) };
                done += usize::from(store.write(part, work).await.is_ok());
            }
            done
        })
    });
    let mut acknowledged = 0;
    for writer in writers.collect::<Vec<_>>() {
        acknowledged += writer.await.unwrap();
    }
    drop(stop);
    let heard = following.await.unwrap();
    assert_in_order(&heard.told);
    assert!(heard.told.iter().any(|(_, position)| position.idx > 0), "nothing was committed together");
    let rows = rows_of(&test.store).await;
    assert_eq!(rows.len(), acknowledged);
    heard.mirror.assert_same(&rows);
}

#[tokio::test]
async fn a_snapshot_does_not_move() {
    on_both(async |test: TestStore| {
        let (store, owner) = (&test.store, "100000000000");
        write(store, owner, 1, 1).await;
        let snapshot: Snapshot = store.snapshot().await.unwrap();
        let part = store.partition_of(account(owner));
        let before = snapshot.partition(part).await.unwrap().position();
        write(store, owner, 2, 2).await;
        assert_eq!(Mirror::of(&snapshot).await.len(), 1);
        assert_eq!(snapshot.partition(part).await.unwrap().position(), before);
        drop(snapshot);
        // The connection that it had is not one that another may get.
        assert_eq!(rows_of(store).await.len(), 2);
        write(store, owner, 3, 3).await;
    })
    .await;
}
