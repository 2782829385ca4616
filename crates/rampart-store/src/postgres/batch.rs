//! One transaction of a partition, and the jobs that it commits together.
//!
//! A job by itself costs what it costs without batches: BEGIN, the head row and its loads travel together. Each that is
//! added comes behind a savepoint, which travels with its loads, too.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{join, join3};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::link::Trouble;
use super::queue::Waiting;
use super::{Connections, Link, failure};
use crate::connection::Connection;
use crate::job::Ran;
use crate::random::random_bytes;
use crate::store::{Reader, Together};
use crate::tables::change_log;
use crate::{PartitionId, Partitions, StoreError, Transaction};

/// How a transaction ended.
pub(super) enum Ended {
    /// What the jobs answer is true: what they wrote is durable, or there was nothing to write.
    Settled,
    /// Nothing was written, and running the jobs again may help.
    Again(StoreError),
    /// Running them again will not help. Nothing was written, but where a COMMIT was not answered and could not be looked
    /// up.
    Failed(StoreError),
    /// COMMIT was sent and no answer came.
    Unknown { seq: i64, id: Uuid, error: StoreError },
}

impl Ended {
    /// Nothing was written. What concerns one of several may not concern the others.
    fn in_vain(error: StoreError, jobs: usize) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Again(error),
            StoreError::Statement { .. } if jobs > 1 => Self::Again(error),
            error => Self::Failed(error),
        }
    }
}

pub(super) struct Batch {
    link: Arc<Link>,
    partitions: Partitions,
    part: PartitionId,
    id: Uuid,
}

impl Batch {
    pub(super) fn new(link: Link, partitions: Partitions, part: PartitionId) -> Self {
        Self { link: Arc::new(link), partitions, part, id: Uuid::from_bytes(random_bytes()) }
    }

    /// Runs the first of `jobs`, and adds what `more` gives, if there is something to commit.
    pub(super) async fn run(
        &self,
        jobs: &mut Vec<Waiting>,
        most: Together,
        more: impl Fn() -> Option<Waiting>,
    ) -> Ended {
        let (seq, mut changes) = match self.begin(&mut jobs[0]).await {
            Ok(begun) => begun,
            Err(error) => return self.end_in_vain(error, jobs.len()).await,
        };
        if matches!(jobs[0].ran, Ran::Undone | Ran::Met) {
            // With nothing before it, it needs no savepoint: the transaction ends with it.
            self.roll_back().await;
            return Ended::Settled;
        }
        let began = Instant::now();
        // What is to be said of the last job before anything else.
        let mut before = "";
        while jobs.len() < most.writes_max && changes < most.changes_max && began.elapsed() < most.lasts_max {
            let Some(job) = more() else { break };
            jobs.push(job);
            let idx = jobs.len() - 1;
            match self.run_behind_savepoint(before, seq, idx, &mut jobs[idx]).await {
                Ok(written) => changes += written,
                Err(error) => return self.end_in_vain(error, jobs.len()).await,
            }
            before = match jobs[idx].ran {
                Ran::Kept | Ran::Idle => "RELEASE operation; ",
                Ran::Undone | Ran::Met => "ROLLBACK TO operation; RELEASE operation; ",
            };
        }
        // Also when nothing was written: what was found done may wait for a standby still, if the server ended meanwhile.
        // With the head row, a COMMIT waits for all that was committed before.
        self.commit(before, seq, jobs.len()).await
    }

    /// Opens the transaction with a job: its place in the log, and how many changes were written.
    async fn begin(&self, first: &mut Waiting) -> Result<(i64, usize), StoreError> {
        change_log::prepare_head(&self.link).await?;
        let tx = self.transaction(OnceCell::new(), 0);
        // Polled in this order, so the server sees BEGIN, then the head row, then the job's loads. The head's statement is
        // prepared by now: if it had to wait for that, a load could overtake it and read what the lock is to protect.
        let head = async {
            let seq = change_log::take_head(&tx, self.part).await?;
            tx.head_taken(seq);
            Ok::<i64, StoreError>(seq)
        };
        let (begun, head, ran) = join3(self.say("BEGIN"), head, first.job.run(&tx)).await;
        begun.map_err(|trouble| trouble.into_error("BEGIN"))?;
        first.ran = ran;
        Ok((head?, tx.written()))
    }

    /// Adds a job that leaves what is before it alone, whatever becomes of it. Says how many changes were written.
    async fn run_behind_savepoint(
        &self,
        before: &str,
        seq: i64,
        idx: usize,
        waiting: &mut Waiting,
    ) -> Result<usize, StoreError> {
        let idx = i64::try_from(idx).expect("a batch is small");
        let tx = self.transaction(OnceCell::new_with(Some(seq)), idx);
        let savepoint = format!("{before}SAVEPOINT operation");
        let (set, ran) = join(self.say(&savepoint), waiting.job.run(&tx)).await;
        set.map_err(|trouble| trouble.into_error("SAVEPOINT"))?;
        if self.link.is_spent() {
            return Err(StoreError::unavailable("it did not answer in time"));
        }
        waiting.ran = ran;
        Ok(if ran == Ran::Kept { tx.written() } else { 0 })
    }

    async fn commit(&self, before: &str, seq: i64, jobs: usize) -> Ended {
        // COMMIT of a transaction that failed is answered with ROLLBACK and no error. A savepoint, set or released, is
        // refused there, should a job not have said what became of a statement of its.
        let before = if before.is_empty() { "SAVEPOINT operation; " } else { before };
        match self.say(&format!("{before}COMMIT")).await {
            Ok(()) => Ended::Settled,
            Err(Trouble::Said(error)) if is_certainly_not_committed(&error) => {
                self.end_in_vain(failure("COMMIT", &error), jobs).await
            }
            Err(trouble) => {
                self.link.discard();
                Ended::Unknown { seq, id: self.id, error: trouble.into_unknown_outcome() }
            }
        }
    }

    async fn end_in_vain(&self, error: StoreError, jobs: usize) -> Ended {
        self.roll_back().await;
        Ended::in_vain(error, jobs)
    }

    /// Ends a transaction that is to leave nothing behind. A connection that cannot even do that is not used again.
    async fn roll_back(&self) {
        if !self.link.is_spent() && self.say("ROLLBACK").await.is_err() {
            self.link.discard();
        }
    }

    /// What begins, parts and ends transactions.
    async fn say(&self, sql: &str) -> Result<(), Trouble> {
        self.link.within(self.link.batch_execute(sql)).await
    }

    fn transaction(&self, seq: OnceCell<i64>, idx: i64) -> Transaction {
        Transaction::new(self.reader(), self.part, seq, idx, self.id)
    }

    fn reader(&self) -> Reader {
        Reader::of_transaction(Connection::Postgres(Arc::clone(&self.link)), self.partitions)
    }

    /// Whether the transaction at `seq` whose COMMIT went unanswered is in the log. Taking the head row first waits for
    /// the old transaction, should the server still be at it; committing that waits until what was found is as durable as
    /// if its COMMIT had been answered: a server that was stopped meanwhile shows what no standby has.
    async fn has_in_log(&self, seq: i64, id: Uuid) -> Result<bool, StoreError> {
        self.say("BEGIN").await.map_err(|trouble| trouble.into_error("BEGIN"))?;
        let reader = self.reader();
        let found = async {
            change_log::take_head(&reader, self.part).await?;
            reader.id_in_log(self.part, seq).await
        }
        .await;
        let found = found.map(|there| there == Some(id));
        if matches!(found, Ok(true)) {
            let committed = self.say("COMMIT").await.map_err(|trouble| trouble.into_error("COMMIT"));
            return committed.map(|()| true).inspect_err(|_| self.link.discard());
        }
        self.roll_back().await;
        found
    }
}

/// Whether a transaction was committed whose COMMIT went unanswered; `None` when that cannot be found out.
pub(super) async fn was_committed(
    connections: &Connections,
    partitions: Partitions,
    part: PartitionId,
    (seq, id): (i64, Uuid),
) -> Option<bool> {
    let link = connections.for_transaction().await.ok()?;
    Batch::new(link, partitions, part).has_in_log(seq, id).await.ok()
}

/// Whether COMMIT failed for good. Some codes say that its outcome is not known, as a silent connection does: a pooler
/// that lost its server, a server that is being stopped.
fn is_certainly_not_committed(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| {
        let code = state.code();
        !(code.starts_with("08") || code.starts_with("57P") || code == "40003")
    })
}
