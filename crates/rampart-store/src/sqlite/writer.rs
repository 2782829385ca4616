//! The writer thread: takes what waits, runs each piece of work behind a savepoint, commits once for all, then answers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OnceCell, mpsc, oneshot};
use uuid::Uuid;

use super::readers::Readers;
use super::{Shared, lock, run_cached};
use crate::connection::Connection;
use crate::store::Reader;
use crate::tables::change_log;
use crate::{Abort, PartitionId, Partitions, StoreError, Transaction, Work};

/// Operations committed together at the most.
const BATCH_MAX: usize = 100;

/// One piece of queued work, whatever its type.
pub(super) trait Job: Send {
    fn part(&self) -> PartitionId;
    /// Runs it; says whether it wrote anything that is to be kept.
    fn run(&mut self, tx: &Transaction) -> bool;
    /// Answers its caller, once the commit is known. A refusal is no longer true when what it rests on was not
    /// committed: then it is answered with the failure, too.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

pub(super) struct WorkJob<W: Work> {
    part: PartitionId,
    work: W,
    outcome: Option<Result<W::Reply, Abort>>,
    reply: oneshot::Sender<Result<W::Reply, Abort>>,
}

impl<W: Work> WorkJob<W> {
    pub(super) fn new(part: PartitionId, work: W, reply: oneshot::Sender<Result<W::Reply, Abort>>) -> Self {
        Self { part, work, outcome: None, reply }
    }
}

impl<W: Work> Job for WorkJob<W> {
    fn part(&self) -> PartitionId {
        self.part
    }

    fn run(&mut self, tx: &Transaction) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| answered(self.work.run(tx))));
        let outcome = outcome.unwrap_or_else(|_| Err(Abort::Store(StoreError::Panicked)));
        let keep = outcome.is_ok() && tx.has_written();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let outcome = match (self.outcome, failed) {
            (Some(outcome), None) => outcome,
            (_, Some(error)) => Err(Abort::Store(error)),
            (None, None) => Err(Abort::Store(StoreError::Panicked)),
        };
        // The caller may have gone away; its work is done all the same.
        let _ = self.reply.send(outcome);
    }
}

pub(super) fn run(
    connection: &Shared,
    readers: &Readers,
    partitions: Partitions,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        commit_batch(connection, readers, partitions, &mut batch, &mut queue);
    }
}

fn commit_batch(
    connection: &Shared,
    readers: &Readers,
    partitions: Partitions,
    batch: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) {
    let part = batch[0].part();
    // The first operation whose writes are to be kept: those before it rest on what is committed already.
    let mut first_kept = None;
    let outcome = begin(connection, partitions, part).and_then(|seq| {
        let mut ran = 0;
        loop {
            if run_behind_savepoint(connection, partitions, seq, ran, &mut batch[ran])? {
                first_kept.get_or_insert(ran);
            }
            ran += 1;
            if ran == BATCH_MAX {
                break;
            }
            match queue.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        // Nothing to keep: no reason to write the head row to disk.
        if first_kept.is_some() {
            readers.while_committing(|| run_cached(&lock(connection), "COMMIT"))
        } else {
            run_cached(&lock(connection), "ROLLBACK")
        }
    });
    if outcome.is_err() {
        // Leaves no transaction open; where the engine rolled back by itself this fails, which is as good.
        let _ = run_cached(&lock(connection), "ROLLBACK");
    }
    let error = outcome.err();
    let rests_on_it = |place: usize| first_kept.is_none_or(|first| place >= first);
    for (place, job) in batch.drain(..).enumerate() {
        job.answer(error.clone().filter(|_| rests_on_it(place)));
    }
}

fn begin(connection: &Shared, partitions: Partitions, part: PartitionId) -> Result<i64, StoreError> {
    run_cached(&lock(connection), "BEGIN IMMEDIATE")?;
    let reader = Reader::of_transaction(Connection::Sqlite(Arc::clone(connection)), partitions);
    answered(change_log::take_head(&reader, part))
}

fn run_behind_savepoint(
    connection: &Shared,
    partitions: Partitions,
    seq: i64,
    idx: usize,
    job: &mut Box<dyn Job>,
) -> Result<bool, StoreError> {
    run_cached(&lock(connection), "SAVEPOINT operation")?;
    let reader = Reader::of_transaction(Connection::Sqlite(Arc::clone(connection)), partitions);
    let idx = i64::try_from(idx).expect("a batch has at most 100 operations");
    let tx = Transaction::new(reader, job.part(), OnceCell::new_with(Some(seq)), idx, Uuid::nil());
    let keep = job.run(&tx);
    if !keep {
        run_cached(&lock(connection), "ROLLBACK TO operation")?;
    }
    run_cached(&lock(connection), "RELEASE operation")?;
    Ok(keep)
}

/// Runs a future that waits for nothing but SQLite, which answers at once.
fn answered<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("work inside a transaction waits for the store alone"),
    }
}
