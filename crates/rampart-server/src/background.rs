//! What time does: ends what expired or went with its share, records the events of it, and removes rows past their
//! retention. What clients see does not wait for it.
//!
//! Of several nodes on one store one does it, under a lease. Each step finds its work by an index and does it in small
//! transactions of one partition, which are refused when another node that has taken the lease since was there before. Each
//! is idempotent, so that a crash does no harm. A partition or a row that fails is passed over: the rest is done.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rampart_store::{Abort, Fence};
use tokio::time::{Instant, MissedTickBehavior, interval};

mod endings;
mod leadership;
mod listening;
mod memberships;
mod purge;
mod remains;
mod replacement;
mod running;

pub use remains::remove_remains;
use running::{Run, Total};

use crate::app::App;
use crate::metrics::Job;

/// How often it looks for work.
const INTERVAL: Duration = Duration::from_secs(30);
/// How soon it looks again when something failed; the second time in a row it takes twice as long, and so on.
const AGAIN: Duration = Duration::from_secs(1);
/// Rows of one kind that are looked for at once.
const BATCH_MAX: u32 = 500;
/// Rows written by one transaction, of a share that is taken apart.
const ROWS_MAX: u32 = 200;

/// Works until `stop` resolves.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    if !app.store.has_many_nodes() {
        app.metrics.leads.set(1);
        let worker = Worker::of(&app);
        tokio::select! {
            () = &mut stop => return,
            never = worker.work() => match never {},
        }
    }
    loop {
        let fence = tokio::select! {
            () = &mut stop => return,
            fence = leadership::gain(&app) => fence,
        };
        app.metrics.leads.set(1);
        tracing::info!(term = fence.term(), "this node does the background work");
        let worker = Worker { app: &app, fence: Some(fence) };
        tokio::select! {
            () = &mut stop => return leadership::give_back(&app, fence).await,
            () = leadership::keep(&app, fence) => {
                app.metrics.leads.set(0);
                tracing::warn!(term = fence.term(), "another node may do the background work now");
            }
            never = worker.work() => match never {},
            never = listening::listen(&app) => match never {},
        }
    }
}

/// Does all work that is due, whichever node's it is; says how much it was.
pub async fn sweep(app: &App) -> Result<usize, Abort> {
    Worker::of(app).sweep().await
}

/// Does what is due of some kinds; says how much it was.
pub(crate) async fn run_jobs(app: &App, jobs: &[Job]) -> Result<usize, Abort> {
    let (worker, mut total) = (Worker::of(app), Total::default());
    worker.run_each(jobs, &mut total).await;
    total.into_result()
}

/// Who does background work: a server, and the term it does it in, if there may be others.
struct Worker<'a> {
    app: &'a App,
    fence: Option<Fence>,
}

impl<'a> Worker<'a> {
    /// One that holds no lease.
    fn of(app: &'a App) -> Self {
        Self { app, fence: None }
    }

    async fn work(&self) -> Infallible {
        let app = self.app;
        let mut sweeps = interval(INTERVAL);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let settle_delay = Duration::from_millis(app.timing().settle_delay_ms.try_into().unwrap_or_default());
        // When the work that was asked for first is due, and whether more was asked for since.
        let (mut due_at, mut more) = (None, false);
        let mut again = AGAIN;
        loop {
            let only_works = tokio::select! {
                _ = sweeps.tick() => false,
                () = app.work_waits.notified() => {
                    more = due_at.is_some();
                    due_at = due_at.or(Some(Instant::now() + settle_delay));
                    continue;
                }
                () = tokio::time::sleep_until(due_at.unwrap_or_else(Instant::now)), if due_at.is_some() => {
                    due_at = more.then(|| Instant::now() + settle_delay);
                    more = false;
                    true
                }
            };
            let due = if only_works {
                let mut total = Total::default();
                self.run_each(&[Job::ReplacePermissions], &mut total).await;
                total.into_result()
            } else {
                self.sweep().await
            };
            match due {
                Ok(rows) => {
                    again = AGAIN;
                    if rows > 0 {
                        tracing::debug!(rows, "tidied up");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "some tidying up is put off");
                    sweeps.reset_after(again);
                    again = (again * 2).min(INTERVAL);
                }
            }
        }
    }

    /// Does all that can be done; the first failure is reported at the end.
    async fn sweep(&self) -> Result<usize, Abort> {
        let mut total = Total::default();
        while self.run_each(&Job::ALL, &mut total).await > 0 {}
        total.into_result()
    }

    /// Runs each job once; says how much they did together.
    async fn run_each(&self, jobs: &[Job], total: &mut Total) -> usize {
        let before = total.done();
        for job in jobs {
            let mut run = Run::of(self);
            let ended = match job {
                Job::ExpireInvitations => endings::expire_invitations(&mut run).await,
                Job::EndWithShares => endings::end_with_their_shares(&mut run).await,
                Job::ReplacePermissions => replacement::replace_permissions(&mut run).await,
                Job::TidyMemberships => memberships::tidy_memberships(&mut run).await,
                Job::RemoveRemains => remains::remove_some(&mut run).await,
                Job::Purge => purge::purge(&mut run).await,
            };
            let run = run.end(ended);
            self.app.metrics.ran(*job, run.done, run.error.is_some());
            total.add(run);
        }
        total.done() - before
    }
}
