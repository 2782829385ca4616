//! Writes of one partition of PostgreSQL that are committed together: how many, and that none of them hurts another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use rampart_core::{Change, Refusal, ResourceShare, ShareArn, TimestampMs};
use rampart_store::{
    Abort, EngineFigures, Follower, Location, LogPosition, Options, PartitionId, Store, StoreError, Timeouts,
    Together, Transaction, Work,
};
use rampart_testkit::mirror::Following;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::interval;
use uuid::Uuid;

use crate::engines::{self, TestStore};
use crate::outcomes::Increment;
use crate::rows::{Apply, OWNER, account, share};

/// A transaction that a slow machine does not end.
const PATIENT: Together = Together { writes_max: 64, changes_max: 1_000, lasts_max: Duration::from_mins(1) };

async fn node(test: &TestStore, together: Together) -> Store {
    Store::open(&test.location, Options { together, ..Options::default() }).await.unwrap().0
}

/// Somebody beside the store, who can hold a partition's head row.
pub(crate) struct Beside(tokio_postgres::Client, i64);

impl Beside {
    pub(crate) async fn of(location: &Location, part: PartitionId) -> Self {
        let Location::Postgres(url) = location else { panic!("a PostgreSQL store") };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        // The number is the store's own business; that it has one shows in its name.
        let number = format!("{part:?}").replace(|c: char| !c.is_ascii_digit(), "");
        Self(client, number.parse().unwrap())
    }

    pub(crate) async fn hold(&self) {
        let hold = format!("BEGIN; UPDATE log_head SET seq = seq WHERE part = {}", self.1);
        self.0.batch_execute(&hold).await.unwrap();
    }

    pub(crate) async fn let_go(&self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }

    /// How many transactions the partition has seen.
    async fn transactions(&self) -> i64 {
        let head = "SELECT seq FROM log_head WHERE part = $1";
        self.0.query_one(head, &[&self.1]).await.unwrap().get(0)
    }
}

/// Queues a write: those that are begun earlier come first.
pub(crate) fn begin<W: Work>(
    store: &Store,
    part: PartitionId,
    work: W,
) -> JoinHandle<Result<W::Reply, Abort>> {
    let store = store.clone();
    begin_call(async move { store.write(part, work).await })
}

/// Goes as far as it comes by itself, and then on with the others.
pub(crate) fn begin_call<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    let mut call = Box::pin(call);
    assert!(call.as_mut().now_or_never().is_none(), "it waits");
    tokio::spawn(call)
}

fn queued(store: &Store) -> usize {
    let EngineFigures::Postgres { queued, .. } = store.figures().engine else { panic!("a PostgreSQL store") };
    queued
}

async fn loaded(store: &Store, arn: ShareArn) -> Option<ResourceShare> {
    store.reader().await.unwrap().resource_share(arn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_committed_together_within_bounds() {
    let test = engines::postgres().await;
    let part = test.store.partition_of(account(OWNER));
    let beside = Beside::of(&test.location, part).await;
    for (together, transactions) in [
        (PATIENT, 1),
        (Together { writes_max: 8, ..PATIENT }, 3),
        (Together { writes_max: 1, ..PATIENT }, 17),
        (Together { changes_max: 8, ..PATIENT }, 5),
        (Together { lasts_max: Duration::ZERO, ..PATIENT }, 17),
    ] {
        let store = node(&test, together).await;
        beside.hold().await;
        let before = beside.transactions().await;
        let two = |number| {
            Apply(vec![
                Change::ShareStored(share(OWNER, number)),
                Change::ShareStored(share(OWNER, number + 1)),
            ])
        };
        let writes: Vec<_> = (0..17).map(|number| begin(&store, part, two(2 * number))).collect();
        while queued(&store) != 16 {
            tokio::task::yield_now().await;
        }
        assert!(writes.iter().all(|write| !write.is_finished()), "nobody is answered before COMMIT");
        beside.let_go().await;
        for write in writes {
            write.await.unwrap().unwrap();
        }
        assert_eq!(beside.transactions().await - before, transactions, "{together:?}");
        assert_eq!(queued(&store), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sees_what_came_before_it() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let (part, row) = (store.partition_of(account(OWNER)), share(OWNER, 1));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let beside = Beside::of(&test.location, part).await;
    beside.hold().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let writes: Vec<_> =
        (0..20).map(|_| begin(&store, part, Increment(row.arn(), Arc::clone(&runs)))).collect();
    let before = beside.transactions().await;
    beside.let_go().await;
    for (write, count) in writes.into_iter().zip(1..) {
        assert_eq!(write.await.unwrap().unwrap(), count);
    }
    assert_eq!((beside.transactions().await - before, runs.load(Ordering::Relaxed)), (1, 20));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Well,
    Refused,
    Panics,
    /// The server does not take what it writes.
    Rejected,
    /// As before, and it says nothing of it.
    Hides,
    /// The first run meets another writer.
    Meets,
    Nothing,
}

/// Writes a share, and goes on in some way.
struct Go(u128, Way, AtomicUsize);

impl Work for Go {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let Self(number, way, runs) = self;
        if *way == Way::Nothing {
            return Ok(());
        }
        let mut share = share(OWNER, *number);
        if matches!(way, Way::Rejected | Way::Hides) {
            "\0".clone_into(&mut share.name);
        }
        let applied = tx.apply(&[Change::ShareStored(share)], TimestampMs(1)).await;
        match way {
            Way::Hides => return Ok(()),
            _ => applied?,
        }
        match way {
            Way::Refused => Err(Refusal::EntitiesMissing.into()),
            Way::Panics => panic!("as it was asked to"),
            Way::Meets if runs.fetch_add(1, Ordering::Relaxed) == 0 => {
                Err(StoreError::Conflict { attempts: 1 }.into())
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_leaves_the_others_alone() {
    use Way::{Meets, Nothing, Panics, Refused, Rejected, Well};
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let part = store.partition_of(account(OWNER));
    let beside = Beside::of(&test.location, part).await;
    // Two in a row, one at either end, and one that is nothing at all.
    let ways = [Well, Refused, Well, Panics, Rejected, Well, Meets, Well, Nothing, Well, Refused];
    let mut follower = Follower::from_now(store.clone()).await.unwrap();
    beside.hold().await;
    let before = beside.transactions().await;
    let writes: Vec<_> = (0..)
        .zip(ways)
        .map(|(number, way)| (number, way, begin(&store, part, Go(number, way, AtomicUsize::new(0)))))
        .collect();
    beside.let_go().await;
    for (number, way, write) in writes {
        let answered = write.await.unwrap();
        let is_right = match way {
            Well | Meets | Nothing => answered.is_ok(),
            Refused => matches!(answered, Err(Abort::Refused(_))),
            Panics => matches!(answered, Err(Abort::Store(StoreError::Panicked))),
            Rejected | Way::Hides => matches!(answered, Err(Abort::Store(StoreError::Statement { .. }))),
        };
        assert!(is_right, "{number} {way:?}: {answered:?}");
        let is_there = loaded(&store, share(OWNER, number).arn()).await.is_some();
        assert_eq!(is_there, matches!(way, Well | Meets), "{number} {way:?}");
    }
    // What met another writer ran once more, by itself.
    assert_eq!(beside.transactions().await - before, 2);
    assert_eq!(store.figures().retried, 1);
    let mut heard = Following::default();
    assert_eq!(follower.poll(&mut heard).await.unwrap(), 6);
    let expected = [(1, 0), (1, 2), (1, 5), (1, 7), (1, 9), (2, 0)];
    let expected = expected.map(|(seq, idx)| (part, LogPosition { seq: before + seq, idx }));
    assert_eq!(heard.told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_first_is_answered_by_itself() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let part = store.partition_of(account(OWNER));
    let beside = Beside::of(&test.location, part).await;
    beside.hold().await;
    let before = beside.transactions().await;
    let ways = [Way::Refused, Way::Nothing, Way::Well, Way::Well];
    let writes: Vec<_> =
        (0..).zip(ways).map(|(n, way)| begin(&store, part, Go(n, way, AtomicUsize::new(0)))).collect();
    beside.let_go().await;
    for (write, way) in writes.into_iter().zip(ways) {
        assert_eq!(write.await.unwrap().is_ok(), way != Way::Refused, "{way:?}");
    }
    // A transaction that wrote nothing is none.
    assert_eq!(beside.transactions().await - before, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_that_the_server_gave_up() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let part = store.partition_of(account(OWNER));
    let beside = Beside::of(&test.location, part).await;
    for ways in [&[Way::Hides][..], &[Way::Hides, Way::Well], &[Way::Well, Way::Hides]] {
        beside.hold().await;
        let writes: Vec<_> = (0..)
            .zip(ways)
            .map(|(number, way)| (way, begin(&store, part, Go(number, *way, AtomicUsize::new(0)))))
            .collect();
        beside.let_go().await;
        for (way, write) in writes {
            let answered = write.await.unwrap();
            let is_right = match way {
                Way::Hides => matches!(answered, Err(Abort::Store(StoreError::Statement { .. }))),
                _ => answered.is_ok(),
            };
            assert!(is_right, "{way:?} of {ways:?}: {answered:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_are_held_up_keep_nobody_from_reading() {
    const CONNECTIONS: usize = 4;
    let test = engines::postgres().await;
    // Less than the server lets a write wait for its partition.
    let timeouts = Timeouts { connect: Duration::from_secs(3), ..Timeouts::default() };
    let options = Options { connections_max: CONNECTIONS, timeouts, ..Options::default() };
    let (store, _) = Store::open(&test.location, options).await.unwrap();
    let beside = Beside::of(&test.location, store.partition_of(account(OWNER))).await;
    beside.0.batch_execute("BEGIN; UPDATE log_head SET seq = seq").await.unwrap();
    let mut parts = BTreeSet::new();
    let mut writes = Vec::new();
    for owner in (111_111_111_111_u64..).map(|number| number.to_string()) {
        let part = store.partition_of(account(&owner));
        if parts.insert(part) {
            writes.push(begin(&store, part, Apply(vec![Change::ShareStored(share(&owner, 1))])));
        }
        if writes.len() == 20 {
            break;
        }
    }
    // Until those have given up that found no connection.
    let mut ticks = interval(Duration::from_millis(20));
    while writes.iter().filter(|write| write.is_finished()).count() <= 20 - CONNECTIONS {
        assert_eq!(loaded(&store, share(OWNER, 1).arn()).await, None);
        ticks.tick().await;
    }
    beside.let_go().await;
    let mut done = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(()) => done += 1,
            Err(Abort::Store(StoreError::Unavailable { .. })) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(done, CONNECTIONS - 1);
}

/// Adds one, and in its first run waits before it does.
struct Waits(Increment, Arc<Notify>, Arc<Notify>);

impl Work for Waits {
    type Reply = u32;

    async fn run(&self, tx: &Transaction) -> Result<u32, Abort> {
        if self.0.1.load(Ordering::Relaxed) == 0 {
            self.1.notify_one();
            self.2.notified().await;
        }
        self.0.run(tx).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_in_the_middle_costs_nobody_anything() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let (part, row) = (store.partition_of(account(OWNER)), share(OWNER, 1));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let beside = Beside::of(&test.location, part).await;
    beside.hold().await;
    let before = beside.transactions().await;
    let (there, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let runs: [Arc<AtomicUsize>; 3] = Default::default();
    let increment = |number: usize| Increment(row.arn(), Arc::clone(&runs[number]));
    let writes = [
        begin(&store, part, increment(0)),
        begin(&store, part, Waits(increment(1), Arc::clone(&there), Arc::clone(&go))),
        begin(&store, part, increment(2)),
    ];
    beside.let_go().await;
    there.notified().await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND state = 'idle in transaction'";
    // Its savepoint may be under way still.
    while beside.0.query_one(cut, &[]).await.unwrap().get::<_, i64>(0) != 1 {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    let mut counts = Vec::new();
    for write in writes {
        counts.push(write.await.unwrap().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3]);
    assert_eq!(loaded(&store, row.arn()).await.unwrap().contents.resources, 3);
    assert_eq!(runs.map(|runs| runs.load(Ordering::Relaxed)), [2, 2, 2]);
    // Each by itself.
    assert_eq!(beside.transactions().await - before, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_any_more_is_done_all_the_same() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let part = store.partition_of(account(OWNER));
    let beside = Beside::of(&test.location, part).await;
    beside.hold().await;
    let well = |number| Go(number, Way::Well, AtomicUsize::new(0));
    for number in 0..3 {
        let write = begin(&store, part, well(number));
        write.abort();
        assert!(write.await.unwrap_err().is_cancelled());
    }
    let last = begin(&store, part, well(3));
    beside.let_go().await;
    last.await.unwrap().unwrap();
    for number in 0..4 {
        assert!(loaded(&store, share(OWNER, number).arn()).await.is_some(), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_too_long_is_not_done() {
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let (part, row) = (store.partition_of(account(OWNER)), share(OWNER, 1));
    store.write(part, Apply(vec![Change::ShareStored(row.clone())])).await.unwrap();
    let beside = Beside::of(&test.location, part).await;
    beside.hold().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let increment = || Increment(row.arn(), Arc::clone(&runs));
    let first = begin(&store, part, Go(2, Way::Well, AtomicUsize::new(0)));
    let others = [begin(&store, part, increment()), begin(&store, part, increment())];
    for other in others {
        let answered = other.await.unwrap();
        assert!(matches!(answered, Err(Abort::Store(StoreError::Overloaded { .. }))), "{answered:?}");
    }
    beside.let_go().await;
    first.await.unwrap().unwrap();
    assert_eq!((queued(&store), runs.load(Ordering::Relaxed)), (0, 0));
    assert_eq!(store.write(part, increment()).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_succeeded_in_the_middle_writes_nothing_after_it() {
    const NAME: &str = "work";
    let test = engines::postgres().await;
    let store = node(&test, PATIENT).await;
    let part = store.partition_of(account(OWNER));
    let first = store.take_lease(NAME, Uuid::from_u128(1), None).await.unwrap().unwrap();
    let beside = Beside::of(&test.location, part).await;
    assert_ne!(beside.1, 0, "the lease's own partition is another");
    beside.hold().await;
    let before = beside.transactions().await;
    let fenced = |fence, number| {
        let store = store.clone();
        let work = Go(number, Way::Well, AtomicUsize::new(0));
        begin_call(async move { store.write_fenced(fence, part, work).await })
    };
    let come = async |count| {
        while queued(&store) != count {
            tokio::task::yield_now().await;
        }
    };
    let kept = begin(&store, part, Go(1, Way::Well, AtomicUsize::new(0)));
    let early = fenced(first, 2);
    come(1).await;
    let seen = store.reader().await.unwrap().lease(NAME).await.unwrap();
    let second = store.take_lease(NAME, Uuid::from_u128(2), seen).await.unwrap().unwrap();
    let successor = fenced(second, 3);
    come(2).await;
    let late = fenced(first, 4);
    beside.let_go().await;
    kept.await.unwrap().unwrap();
    early.await.unwrap().unwrap();
    successor.await.unwrap().unwrap();
    let refused = late.await.unwrap();
    assert!(matches!(refused, Err(Abort::Store(StoreError::Fenced { .. }))), "{refused:?}");
    assert_eq!(beside.transactions().await - before, 1);
    for (number, is_there) in [(1, true), (2, true), (3, true), (4, false)] {
        assert_eq!(loaded(&store, share(OWNER, number).arn()).await.is_some(), is_there, "{number}");
    }
}
