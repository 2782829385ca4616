//! A write that waits for its turn: work of some type, and whom to answer.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::{Abort, PartitionId, StoreError, Transaction, Work};

/// One piece of work that waits, whatever its type. It may be run again, and is answered once.
pub(crate) trait Job: Send {
    /// The partition that it writes.
    fn part(&self) -> PartitionId;
    /// Runs it from the top. A panic is a failure of its own.
    fn run<'a>(&'a mut self, tx: &'a Transaction) -> Pin<Box<dyn Future<Output = Ran> + Send + 'a>>;
    /// What the store did not do for it in the last run.
    fn failure(&self) -> Option<StoreError>;
    /// Answers its caller, once the commit is known: with the failure, if what it saw or wrote was not committed.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

/// What a job did to the transaction that it ran in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It wrote something that is to be kept.
    Kept,
    /// It wrote nothing, and has an answer: it may have found done what it was to do.
    Idle,
    /// Nothing is to be kept: it was refused, or failed.
    Undone,
    /// It met another writer: nothing is to be kept, and the next run may do better.
    Met,
}

/// [`Work`], and where its caller waits.
pub(crate) struct WorkJob<W: Work> {
    part: PartitionId,
    work: W,
    /// Of the last run, if that came to its end.
    outcome: Option<Result<W::Reply, Abort>>,
    reply: oneshot::Sender<Result<W::Reply, Abort>>,
}

impl<W: Work> WorkJob<W> {
    pub(crate) fn new(part: PartitionId, work: W, reply: oneshot::Sender<Result<W::Reply, Abort>>) -> Self {
        Self { part, work, outcome: None, reply }
    }
}

impl<W: Work> Job for WorkJob<W> {
    fn part(&self) -> PartitionId {
        self.part
    }

    fn run<'a>(&'a mut self, tx: &'a Transaction) -> Pin<Box<dyn Future<Output = Ran> + Send + 'a>> {
        self.outcome = None;
        Box::pin(async {
            let outcome = AssertUnwindSafe(async { self.work.run(tx).await }).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(Abort::Store(StoreError::Panicked)));
            let ran = match &outcome {
                Ok(_) if tx.has_written() => Ran::Kept,
                Ok(_) => Ran::Idle,
                Err(Abort::Store(StoreError::Conflict { .. })) => Ran::Met,
                Err(_) => Ran::Undone,
            };
            self.outcome = Some(outcome);
            ran
        })
    }

    fn failure(&self) -> Option<StoreError> {
        match &self.outcome {
            Some(Err(Abort::Store(error))) => Some(error.clone()),
            _ => None,
        }
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
