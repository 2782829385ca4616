//! Whether callers are still what they were: the store's versions of them, read when somebody asks and the last reading is
//! too old, once for all who wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rampart_store::{CallerVersions, Store, StoreError};
use tokio::sync::Mutex;

use crate::metrics::Metrics;

/// How long a reading is taken for what is, from before it was asked for: a key that is disabled, a role that is deleted
/// or a policy that is changed counts everywhere within this time, and at once on the server that changed it.
const STALENESS_MAX: Duration = Duration::from_secs(1);

/// The last reading.
#[derive(Default)]
pub(crate) struct Versions {
    last: RwLock<Last>,
    /// Held by who reads.
    turn: Mutex<()>,
    /// Counted up with each change that was made here: what was read before is read again.
    changes: AtomicU64,
}

#[derive(Clone, Default)]
struct Last {
    /// How many readings have ended.
    ended: u64,
    outcome: Option<Result<Arc<Reading>, StoreError>>,
}

/// What was read.
pub(super) struct Reading {
    pub(super) versions: CallerVersions,
    /// Before it was asked for.
    begun: Instant,
    /// How many changes were made here before.
    changes: u64,
}

impl Versions {
    /// Has the versions read again: something was changed here.
    pub(super) fn expire(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The versions of now, or of a second ago at the most. Callers must be read after this.
    pub(super) async fn current(&self, store: &Store, metrics: &Metrics) -> Result<Arc<Reading>, StoreError> {
        let asked = Instant::now();
        let before = self.last();
        if let Some(Ok(reading)) = &before.outcome
            && self.is_good(reading, asked)
        {
            return Ok(Arc::clone(reading));
        }
        let _turn = self.turn.lock().await;
        let last = self.last();
        match last.outcome {
            Some(Ok(reading)) if self.is_good(&reading, asked) => return Ok(reading),
            // Who waited for a reading that failed does not wait for another: a store that is silent would be asked by one
            // after the other.
            Some(Err(error)) if last.ended > before.ended => return Err(error),
            _ => {}
        }
        let (begun, changes) = (Instant::now(), self.changes.load(Ordering::Acquire));
        metrics.caller_versions_read.inc();
        let read = async { store.reader().await?.caller_versions().await };
        let outcome = read.await.map(|versions| Arc::new(Reading { versions, begun, changes }));
        let ended = last.ended + 1;
        *self.last.write().unwrap_or_else(PoisonError::into_inner) =
            Last { ended, outcome: Some(outcome.clone()) };
        outcome
    }

    fn last(&self) -> Last {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was begun after somebody asked is never too old for them, however long the store took.
    fn is_good(&self, reading: &Reading, asked: Instant) -> bool {
        let is_young = reading.begun.elapsed() < STALENESS_MAX;
        let is_unchanged = reading.changes == self.changes.load(Ordering::Acquire);
        (is_young && is_unchanged) || reading.begun >= asked
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use rampart_store::{Location, Options};
    use rampart_testkit::postgres::{ClusterOptions, PostgresCluster};

    use super::*;

    async fn open(location: &Location) -> (Store, Metrics) {
        let (store, _) = Store::open(location, Options::default()).await.unwrap();
        let metrics = Metrics::new(&store);
        (store, metrics)
    }

    #[tokio::test]
    async fn a_reading_is_good_for_a_second_unless_something_was_changed_here() {
        let home = tempfile::tempdir().unwrap();
        let (store, metrics) = open(&Location::Sqlite(home.path().join("rampart.db"))).await;
        let versions = Versions::default();
        let reading = versions.current(&store, &metrics).await.unwrap();
        let of_age = |ms| Reading {
            versions: reading.versions.clone(),
            begun: Instant::now().checked_sub(Duration::from_millis(ms)).unwrap(),
            changes: reading.changes,
        };
        assert!(versions.is_good(&of_age(10), Instant::now()));
        assert!(!versions.is_good(&of_age(1_000), Instant::now()));
        let slow = of_age(1_500);
        assert!(versions.is_good(&slow, slow.begun), "who asked before it was begun need not ask again");
        versions.expire();
        assert!(!versions.is_good(&of_age(10), Instant::now()));
        assert!(versions.is_good(&slow, slow.begun));
        versions.current(&store, &metrics).await.unwrap();
        assert_eq!(metrics.caller_versions_read.get(), 2);
    }

    #[tokio::test]
    async fn who_waits_gets_the_same_reading_and_the_same_failure() {
        let mut cluster = PostgresCluster::start(&ClusterOptions::default()).unwrap();
        let database = cluster.create_database().unwrap();
        let (store, metrics) = open(&database.url().parse().unwrap()).await;
        let versions = Versions::default();
        let ask = async || join_all((0..20).map(|_| versions.current(&store, &metrics))).await;
        assert!(ask().await.iter().all(Result::is_ok));
        assert_eq!(metrics.caller_versions_read.get(), 1);
        cluster.stop_immediately().unwrap();
        versions.expire();
        let failed = ask().await;
        assert!(failed.iter().all(|failed| failed.as_ref().is_err_and(StoreError::is_unavailable)));
        assert_eq!(metrics.caller_versions_read.get(), 2);
        cluster.start_again().unwrap();
        assert!(ask().await.iter().all(Result::is_ok));
        assert_eq!(metrics.caller_versions_read.get(), 3);
    }
}
