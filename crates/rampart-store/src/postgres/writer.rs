//! Who writes: waiting jobs of a partition are run one after the other and committed together, by a task that goes on until
//! nothing waits in that partition; and what is run again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

use super::Connections;
use super::batch::{Batch, Ended, was_committed};
use super::queue::{Queue, TRYING_MAX, WAIT_MAX, Waiting};
use crate::figures::Counts;
use crate::job::{Ran, WorkJob};
use crate::random::random_bytes;
use crate::store::Together;
use crate::{Abort, PartitionId, Partitions, StoreError, Work};

/// How often a job is run before it is given up.
const ATTEMPTS_MAX: u32 = 10;
/// The first pause before another run; it doubles, up to the longest.
const PAUSE_FIRST_MS: u64 = 2;
const PAUSE_LONGEST_MS: u64 = 250;

pub(super) struct Writer {
    connections: Connections,
    /// How many transactions may have a connection at once. Those that wait for a lock, or for a standby, must not keep
    /// everybody from reading.
    places: Semaphore,
    partitions: Partitions,
    queue: Queue,
    together: Together,
    counts: Arc<Counts>,
}

impl Writer {
    pub(super) fn new(
        connections: Connections,
        partitions: Partitions,
        together: Together,
        counts: Arc<Counts>,
    ) -> Self {
        let places = Semaphore::new(places_beside_readers(connections.pool.status().max_size));
        Self { connections, places, partitions, queue: Queue::new(partitions), together, counts }
    }

    /// How many writes wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Queues `work`, and waits for its commit.
    pub(super) async fn write<W: Work>(
        self: &Arc<Self>,
        part: PartitionId,
        work: W,
    ) -> Result<W::Reply, Abort> {
        let (reply, mut answer) = oneshot::channel();
        let (ticket, must_serve) = self.queue.push(Box::new(WorkJob::new(part, work, reply)))?;
        if must_serve {
            // On a task of its own: a client that goes away must not leave a transaction open on a pooled connection.
            tokio::spawn(Arc::clone(self).serve(part));
        }
        let answered = match timeout(WAIT_MAX, &mut answer).await {
            Err(_) if self.queue.withdraw(part, ticket) => return Err(self.queue.overloaded().into()),
            Err(_) => answer.await,
            Ok(answered) => answered,
        };
        answered.unwrap_or_else(|_| Err(Abort::Store(StoreError::Panicked)))
    }

    async fn serve(self: Arc<Self>, part: PartitionId) {
        while let Some(first) = self.queue.next(part) {
            // A panic here, where no job is run, must not leave the partition without anybody who serves it.
            if AssertUnwindSafe(self.commit(part, first)).catch_unwind().await.is_err() {
                tracing::error!(part = part.0, "a transaction was broken off");
            }
        }
    }

    /// Commits a job together with others that wait, and answers them. Those that were run in vain go back.
    async fn commit(&self, part: PartitionId, first: Waiting) {
        if first.tried > 0 {
            self.counts.retried();
            pause(first.tried).await;
        }
        let mut jobs = vec![first];
        let ended = match self.place().await {
            Ok(_place) => self.run_to_the_end(part, &mut jobs).await,
            Err(error) => Ended::Failed(error),
        };
        if let Ended::Again(error) = &ended {
            tracing::debug!(%error, jobs = jobs.len(), "a transaction is tried again");
        }
        let mut again = Vec::new();
        for waiting in jobs {
            match (&ended, waiting.ran) {
                (Ended::Settled, Ran::Kept | Ran::Idle | Ran::Undone) => waiting.job.answer(None),
                (Ended::Failed(error) | Ended::Unknown { error, .. }, _) => {
                    waiting.job.answer(Some(error.clone()));
                }
                (Ended::Settled, Ran::Met) | (Ended::Again(_), _) if may_run_again(&waiting) => {
                    again.push(waiting);
                }
                (Ended::Settled, Ran::Met) | (Ended::Again(_), _) => {
                    waiting.job.answer(Some(StoreError::Conflict { attempts: waiting.tried + 1 }));
                }
            }
        }
        self.queue.put_back(part, again);
    }

    /// Waits as long for a place as for a connection.
    async fn place(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let place = timeout(self.connections.timeouts.connect, self.places.acquire()).await;
        let place = place.map_err(|_| StoreError::unavailable("no connection became free in time"))?;
        place.map_err(StoreError::unavailable)
    }

    /// Runs a transaction, and finds out what became of it when its COMMIT was not answered.
    async fn run_to_the_end(&self, part: PartitionId, jobs: &mut Vec<Waiting>) -> Ended {
        match self.run(part, jobs).await {
            Ended::Unknown { seq, id, error } => {
                match was_committed(&self.connections, self.partitions, part, (seq, id)).await {
                    Some(true) => Ended::Settled,
                    Some(false) => Ended::Again(error),
                    None => Ended::Failed(error),
                }
            }
            ended => ended,
        }
    }

    async fn run(&self, part: PartitionId, jobs: &mut Vec<Waiting>) -> Ended {
        let link = match self.connections.for_transaction().await {
            Ok(link) => link,
            Err(error) => return Ended::Failed(error),
        };
        // What was run in vain is run by itself: it hurts no other, and no other hurts it.
        let runs_alone = jobs.iter().any(|waiting| waiting.tried > 0);
        let together = if runs_alone { Together { writes_max: 1, ..self.together } } else { self.together };
        Batch::new(link, self.partitions, part).run(jobs, together, || self.queue.beside(part)).await
    }
}

/// Of so many connections, how many may write at once: one at least, and where there are more, not all of them.
fn places_beside_readers(connections_max: usize) -> usize {
    (connections_max * 3 / 4).max(1)
}

fn may_run_again(waiting: &Waiting) -> bool {
    waiting.tried + 1 < ATTEMPTS_MAX && waiting.since.elapsed() < TRYING_MAX
}

#[expect(
    clippy::disallowed_methods,
    reason = "no event tells when another writer is done: back off with jitter"
)]
async fn pause(tried: u32) {
    let ms = (PAUSE_FIRST_MS << (tried - 1)).min(PAUSE_LONGEST_MS);
    let jitter = u64::from(random_bytes::<1>()[0]) * ms / 256;
    tokio::time::sleep(Duration::from_millis(ms / 2 + jitter)).await;
}
