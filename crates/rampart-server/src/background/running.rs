//! A run of a job: what it did, and what it passes over.

use std::collections::BTreeSet;

use rampart_store::{Abort, PartitionId, StoreError, Work};

use super::Worker;
use crate::app::App;

/// A run of a job, under way.
pub(super) struct Run<'a> {
    pub(super) app: &'a App,
    worker: &'a Worker<'a>,
    ran: Ran,
    /// Where a write has waited in vain: there the rest waits for the next run.
    stuck: BTreeSet<PartitionId>,
}

/// How a run ended.
#[derive(Default)]
pub(super) struct Ran {
    /// How much it did.
    pub(super) done: usize,
    /// What failed first.
    pub(super) error: Option<Abort>,
}

impl<'a> Run<'a> {
    pub(super) fn of(worker: &'a Worker<'a>) -> Self {
        Self { app: worker.app, worker, ran: Ran::default(), stuck: BTreeSet::new() }
    }

    /// Counts what was done.
    pub(super) fn add(&mut self, done: usize) {
        self.ran.done += done;
    }

    /// How much was done so far.
    pub(super) fn done(&self) -> usize {
        self.ran.done
    }

    /// Runs `work` in a transaction of `part`; `None` when that failed, or the partition is stuck: the rest is to be done all
    /// the same.
    ///
    /// # Errors
    /// Another node does the work by now: there is nothing more to do here.
    pub(super) async fn write<W: Work>(
        &mut self,
        part: PartitionId,
        work: W,
    ) -> Result<Option<W::Reply>, Abort> {
        if self.stuck.contains(&part) {
            return Ok(None);
        }
        let store = &self.app.store;
        let written = match self.worker.fence {
            Some(fence) => store.write_fenced(fence, part, work).await,
            None => store.write(part, work).await,
        };
        // What concerns one row may not concern the next.
        if matches!(&written, Err(Abort::Store(error)) if error.is_unavailable()) {
            self.stuck.insert(part);
        }
        match written {
            Ok(reply) => Ok(Some(reply)),
            Err(error) => self.pass_over(Err(error)).map(|()| None),
        }
    }

    /// Goes on after a failure, and keeps it for the end.
    ///
    /// # Errors
    /// Another node does the work by now: there is nothing more to do here.
    pub(super) fn pass_over(&mut self, ended: Result<(), Abort>) -> Result<(), Abort> {
        match ended {
            Err(error @ Abort::Store(StoreError::Fenced { .. })) => Err(error),
            Err(error) => {
                tracing::debug!(%error, "a step of background work is put off");
                self.ran.error.get_or_insert(error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Ends it.
    pub(super) fn end(mut self, ended: Result<(), Abort>) -> Ran {
        if let Err(error) = ended {
            self.ran.error.get_or_insert(error);
        }
        self.ran
    }
}

/// How several runs ended.
#[derive(Default)]
pub(super) struct Total(Ran);

impl Total {
    pub(super) fn add(&mut self, ran: Ran) {
        self.0.done += ran.done;
        if let Some(error) = ran.error {
            self.0.error.get_or_insert(error);
        }
    }

    pub(super) fn done(&self) -> usize {
        self.0.done
    }

    /// How much was done, if all was.
    pub(super) fn into_result(self) -> Result<usize, Abort> {
        self.0.error.map_or(Ok(self.0.done), Err)
    }
}
