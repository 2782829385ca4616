//! The writer thread: takes what waits, runs each piece of work behind a savepoint, commits once for all, then answers.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OnceCell, mpsc};
use uuid::Uuid;

use super::readers::Readers;
use super::{Shared, lock, run_cached};
use crate::connection::Connection;
use crate::job::{Job, Ran};
use crate::store::Reader;
use crate::tables::change_log;
use crate::{PartitionId, Partitions, StoreError, Transaction};

/// Operations committed together at the most.
const BATCH_MAX: usize = 100;

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
    answered(change_log::take_head(&reader, part)).unwrap_or(Err(StoreError::Panicked))
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
    let keep = answered(job.run(&tx)) == Some(Ran::Kept);
    if lock(connection).is_autocommit() {
        // A full or failing disk: SQLite rolled back all of the transaction by itself.
        return Err(job
            .failure()
            .unwrap_or_else(|| StoreError::unavailable("its transaction was rolled back")));
    }
    if !keep {
        run_cached(&lock(connection), "ROLLBACK TO operation")?;
    }
    run_cached(&lock(connection), "RELEASE operation")?;
    Ok(keep)
}

/// Runs a future that waits for nothing but SQLite, which answers at once. One that waits for something else is broken off.
fn answered<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{SqliteStore, failure};
    use crate::{Abort, Work};

    /// Finds the disk full, or fills a page or so.
    struct Write {
        is_full: bool,
        says_so: bool,
    }

    impl Work for Write {
        type Reply = ();

        async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
            let Connection::Sqlite(connection) = &tx.connection else { panic!("a SQLite store") };
            let connection = lock(connection);
            // It does not go below what there is.
            let pages = if self.is_full { 1 } else { 1_000_000 };
            let limit = format!("PRAGMA max_page_count = {pages}");
            connection.query_row(&limit, [], |_| Ok(())).map_err(|e| failure("limit", &e))?;
            let fill = "INSERT INTO store_meta (part, name, value) VALUES (7, 'test', zeroblob(1000000))";
            match connection.execute(fill, []) {
                Err(error) if self.says_so => Err(failure("fill", &error).into()),
                _ => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn a_full_disk_makes_the_store_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = SqliteStore::open(&folder.path().join("test.db")).unwrap();
        for (says_so, expected) in [(true, "full"), (false, "rolled back")] {
            match store.write(PartitionId(0), Write { is_full: true, says_so }).await {
                Err(Abort::Store(StoreError::Unavailable { reason })) => {
                    assert!(reason.contains(expected), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
        store.write(PartitionId(0), Write { is_full: false, says_so: true }).await.unwrap();
        store.close().await;
    }
}
