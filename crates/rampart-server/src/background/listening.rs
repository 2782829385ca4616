//! Follows the change log on the node that does the background work: what another node was asked for is begun at once.

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, Instant};

use rampart_core::Change;
use rampart_core::permission::replacement::ReplaceWork;
use rampart_store::{Follow, Follower, LogEntry, PartitionId};
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;

/// How often it looks: so much later may a replacement begin that another node was asked for.
const LOOK: Duration = Duration::from_millis(100);
/// How often it tries to begin, while the store cannot be read.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens for work; never ends.
pub(super) async fn listen(app: &App) -> Infallible {
    let _leads = KnowsLog::begin(app);
    let mut tries = interval(AGAIN);
    tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tries.tick().await;
        match Follower::from_now(app.store.clone()).await {
            Ok(mut follower) => {
                // What was asked for before is not told any more.
                app.work_waits.notify_one();
                follower.run(&mut Listener { app }, LOOK, pending()).await;
            }
            Err(error) => tracing::debug!(%error, "the change log cannot be followed for now"),
        }
    }
}

/// Has the lag measured for as long as it is there.
struct KnowsLog<'a>(&'a App);

impl<'a> KnowsLog<'a> {
    fn begin(app: &'a App) -> Self {
        app.metrics.knows_log(Instant::now());
        Self(app)
    }
}

impl Drop for KnowsLog<'_> {
    fn drop(&mut self) {
        self.0.metrics.follows_no_log();
    }
}

struct Listener<'a> {
    app: &'a App,
}

impl Follow for Listener<'_> {
    /// What it was not told, a look at the tables finds.
    fn forget(&mut self, _: PartitionId) {
        self.app.work_waits.notify_one();
    }

    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}

    fn told_all(&mut self, before: Instant) {
        self.app.metrics.knows_log(before);
    }

    fn entry(&mut self, _: PartitionId, entry: LogEntry) {
        let is_waiting = |change: &Change| match change {
            Change::ReplaceWorkStored(work) => ReplaceWork::finished(work).is_none(),
            _ => false,
        };
        if entry.changes.iter().any(is_waiting) {
            self.app.work_waits.notify_one();
        }
    }
}
