//! Writes that wait for their turn: in each partition a lane, out of which one task of this process takes them in the
//! order in which they came.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::job::{Job, Ran};
use crate::{PartitionId, Partitions, StoreError};

/// Writes that may wait, in all partitions. More are refused, which a client sees as 503.
const QUEUE_MAX: usize = 4096;
/// How long a write waits for its turn.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long after it was first run a write may be run again: its caller has a right to an answer.
pub(super) const TRYING_MAX: Duration = Duration::from_secs(10);

/// All lanes.
pub(super) struct Queue {
    lanes: Vec<Mutex<Lane>>,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Lane {
    jobs: VecDeque<Waiting>,
    /// Whether a task takes from it.
    is_served: bool,
    tickets: u64,
}

/// Tells a job of a lane from the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// A job in the queue, or out of it and on its way.
pub(super) struct Waiting {
    pub(super) job: Box<dyn Job>,
    ticket: Ticket,
    /// Since when it waits; once it was taken, since when it is tried.
    pub(super) since: Instant,
    /// How often it was run in vain. After the first time it runs by itself.
    pub(super) tried: u32,
    /// How the last run ended.
    pub(super) ran: Ran,
}

impl Queue {
    pub(super) fn new(partitions: Partitions) -> Self {
        let lanes = partitions.all().map(|_| Mutex::default()).collect();
        Self { lanes, waiting: AtomicUsize::new(0) }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn overloaded(&self) -> StoreError {
        StoreError::Overloaded { waiting: self.waiting() }
    }

    /// Puts a job at the end of its lane, and says whether somebody must begin to serve it.
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<(Ticket, bool), StoreError> {
        let part = job.part();
        let lane = self.lane(part);
        let mut lane =
            lane.ok_or_else(|| StoreError::Corrupt { what: format!("there is no partition {}", part.0) })?;
        if self.waiting() >= QUEUE_MAX {
            return Err(self.overloaded());
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        lane.tickets += 1;
        let ticket = Ticket(lane.tickets);
        lane.jobs.push_back(Waiting { job, ticket, since: Instant::now(), tried: 0, ran: Ran::Undone });
        Ok((ticket, !std::mem::replace(&mut lane.is_served, true)))
    }

    /// Takes a job out again that nobody has run; `false` when somebody has, or is about to.
    pub(super) fn withdraw(&self, part: PartitionId, ticket: Ticket) -> bool {
        let Some(mut lane) = self.lane(part) else { return false };
        let place = lane.jobs.iter().position(|waiting| waiting.ticket == ticket && waiting.tried == 0);
        let found = place.and_then(|place| lane.jobs.remove(place)).is_some();
        self.waiting.fetch_sub(usize::from(found), Ordering::Relaxed);
        found
    }

    /// The job whose turn it is. Without one the lane is no longer served.
    pub(super) fn next(&self, part: PartitionId) -> Option<Waiting> {
        let mut lane = self.lane(part)?;
        while let Some(waiting) = self.take(&mut lane) {
            if waiting.tried == 0 && waiting.since.elapsed() > WAIT_MAX {
                waiting.job.answer(Some(self.overloaded()));
                continue;
            }
            // Those put back with it are run one by one, and each may have taken its time.
            if waiting.tried > 0 && waiting.since.elapsed() >= TRYING_MAX {
                waiting.job.answer(Some(StoreError::Conflict { attempts: waiting.tried }));
                continue;
            }
            return Some(Waiting {
                since: if waiting.tried == 0 { Instant::now() } else { waiting.since },
                ..waiting
            });
        }
        lane.is_served = false;
        None
    }

    /// Another one to be committed with those that were taken.
    pub(super) fn beside(&self, part: PartitionId) -> Option<Waiting> {
        let mut lane = self.lane(part)?;
        lane.jobs.front().filter(|waiting| waiting.tried == 0)?;
        self.take(&mut lane).map(|waiting| Waiting { since: Instant::now(), ..waiting })
    }

    /// Puts jobs that were run in vain before all others.
    pub(super) fn put_back(&self, part: PartitionId, jobs: Vec<Waiting>) {
        let Some(mut lane) = self.lane(part) else { return };
        self.waiting.fetch_add(jobs.len(), Ordering::Relaxed);
        for waiting in jobs.into_iter().rev() {
            lane.jobs.push_front(Waiting { tried: waiting.tried + 1, ..waiting });
        }
    }

    fn take(&self, lane: &mut Lane) -> Option<Waiting> {
        let taken = lane.jobs.pop_front();
        self.waiting.fetch_sub(usize::from(taken.is_some()), Ordering::Relaxed);
        taken
    }

    fn lane(&self, part: PartitionId) -> Option<MutexGuard<'_, Lane>> {
        let lane = self.lanes.get(usize::try_from(part.0).ok()?)?;
        Some(lane.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;
    use crate::Transaction;

    /// A job that is never run.
    struct Idle(PartitionId);

    impl Job for Idle {
        fn part(&self) -> PartitionId {
            self.0
        }

        fn run<'a>(&'a mut self, _: &'a Transaction) -> Pin<Box<dyn Future<Output = Ran> + Send + 'a>> {
            Box::pin(async { Ran::Undone })
        }

        fn failure(&self) -> Option<StoreError> {
            None
        }

        fn answer(self: Box<Self>, _: Option<StoreError>) {}
    }

    const HERE: PartitionId = PartitionId(3);
    const THERE: PartitionId = PartitionId(4);

    fn queue() -> Queue {
        Queue::new(Partitions::POSTGRES_DEFAULT)
    }

    fn push(queue: &Queue, part: PartitionId) -> (Ticket, bool) {
        queue.push(Box::new(Idle(part))).unwrap()
    }

    #[test]
    fn no_more_wait_than_may() {
        let queue = queue();
        for number in 0..QUEUE_MAX {
            push(&queue, if number % 2 == 0 { HERE } else { THERE });
        }
        let refused = queue.push(Box::new(Idle(HERE)));
        assert!(matches!(refused, Err(StoreError::Overloaded { waiting: QUEUE_MAX })));
        assert!(queue.next(THERE).is_some());
        push(&queue, HERE);
        assert_eq!(queue.waiting(), QUEUE_MAX);
    }

    #[test]
    fn a_lane_is_served_until_nothing_waits_in_it() {
        let queue = queue();
        assert!(push(&queue, HERE).1);
        assert!(!push(&queue, HERE).1);
        assert!(push(&queue, THERE).1, "each for itself");
        assert!(queue.next(HERE).is_some() && queue.next(HERE).is_some() && queue.next(HERE).is_none());
        assert!(push(&queue, HERE).1);
        assert!(matches!(queue.push(Box::new(Idle(PartitionId(64)))), Err(StoreError::Corrupt { .. })));
    }

    #[test]
    fn what_is_withdrawn_is_not_run_and_what_is_run_is_not_withdrawn() {
        let queue = queue();
        let [first, second, third] = [(); 3].map(|()| push(&queue, HERE).0);
        let taken = queue.next(HERE).unwrap();
        assert!(!queue.withdraw(HERE, first));
        assert!(queue.withdraw(HERE, second));
        assert!(!queue.withdraw(HERE, second));
        // It was run, and is to be run again.
        queue.put_back(HERE, vec![taken]);
        assert!(!queue.withdraw(HERE, first));
        assert_eq!(queue.waiting(), 2);
        assert!(queue.next(HERE).is_some_and(|waiting| waiting.ticket == first));
        assert!(queue.next(HERE).is_some_and(|waiting| waiting.ticket == third));
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn what_was_tried_for_long_is_answered_and_not_run() {
        let queue = queue();
        let tickets = [(); 3].map(|()| push(&queue, HERE).0);
        let long_ago = Instant::now().checked_sub(TRYING_MAX).unwrap();
        let first = queue.next(HERE).unwrap();
        let second = Waiting { since: long_ago, ..queue.beside(HERE).unwrap() };
        queue.put_back(HERE, vec![second, first]);
        assert!(queue.next(HERE).is_some_and(|next| next.ticket == tickets[0]));
        assert!(queue.next(HERE).is_some_and(|next| next.ticket == tickets[2]));
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn what_was_run_in_vain_comes_first_and_beside_nothing() {
        let queue = queue();
        let tickets = [(); 3].map(|()| push(&queue, HERE).0);
        let taken = vec![queue.next(HERE).unwrap(), queue.beside(HERE).unwrap()];
        queue.put_back(HERE, taken);
        assert!(queue.beside(HERE).is_none());
        for (ticket, tried) in tickets.into_iter().zip([1, 1, 0]) {
            assert!(queue.next(HERE).is_some_and(|next| next.ticket == ticket && next.tried == tried));
        }
    }
}
