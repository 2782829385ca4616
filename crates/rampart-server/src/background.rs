//! What time does: ends what expired or went with its share, records the events of it, and removes rows past their
//! retention. What clients see does not wait for it.
//!
//! Of several nodes on one store one does it, under a lease. Each step finds its work by an index and does it in small
//! transactions of one partition, which are refused when another node has taken the lease since. Each is idempotent, so
//! that a crash does no harm.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rampart_store::{Abort, Fence, PartitionId, Work};
use tokio::time::{Instant, MissedTickBehavior, interval};

mod endings;
mod leadership;
mod listening;
mod memberships;
mod purge;
mod remains;
mod replacement;

use endings::end_with_their_shares;
use purge::purge;
pub use remains::remove_remains;
use remains::remove_some;
use replacement::replace_permissions;

pub(crate) use endings::expire_invitations;
pub(crate) use memberships::tidy_memberships;

use crate::app::App;
use crate::metrics::Job;

/// How often it looks for work.
const INTERVAL: Duration = Duration::from_secs(30);
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

/// Who does background work: a server, and the term it does it in, if there may be others.
pub(crate) struct Worker<'a> {
    app: &'a App,
    fence: Option<Fence>,
}

impl<'a> Worker<'a> {
    /// One that holds no lease.
    pub(crate) fn of(app: &'a App) -> Self {
        Self { app, fence: None }
    }

    async fn write<W: Work>(&self, part: PartitionId, work: W) -> Result<W::Reply, Abort> {
        match self.fence {
            Some(fence) => self.app.store.write_fenced(fence, part, work).await,
            None => self.app.store.write(part, work).await,
        }
    }

    async fn work(&self) -> Infallible {
        let app = self.app;
        let mut sweeps = interval(INTERVAL);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let settle_delay = Duration::from_millis(app.timing().settle_delay_ms.try_into().unwrap_or_default());
        // When the work that was asked for first is due, and whether more was asked for since.
        let (mut due_at, mut more) = (None, false);
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
                self.counted(Job::ReplacePermissions, replace_permissions(self)).await
            } else {
                self.sweep().await
            };
            match due {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "tidied up"),
                Err(error) => tracing::warn!(%error, "tidying up is put off"),
            }
        }
    }

    /// Runs a job and counts it.
    async fn counted(
        &self,
        job: Job,
        work: impl Future<Output = Result<usize, Abort>>,
    ) -> Result<usize, Abort> {
        let done = work.await;
        self.app.metrics.ran(job, &done);
        done
    }

    async fn sweep(&self) -> Result<usize, Abort> {
        let mut done = 0;
        loop {
            let mut step = self.counted(Job::ExpireInvitations, expire_invitations(self)).await?;
            step += self.counted(Job::EndWithShares, end_with_their_shares(self)).await?;
            step += self.counted(Job::ReplacePermissions, replace_permissions(self)).await?;
            step += self.counted(Job::TidyMemberships, tidy_memberships(self)).await?;
            step += self.counted(Job::Purge, purge(self)).await?;
            step += self.counted(Job::RemoveRemains, remove_some(self)).await?;
            if step == 0 {
                return Ok(done);
            }
            done += step;
        }
    }
}
