//! `lease` and `lease_fence`: which node does a kind of work, and from which term on a partition takes its writes.
//!
//! A lease is held for as long as its beat moves. Who wants it watches the row for as long as a lease lasts, by a clock
//! of its own, and takes it when nothing moved: no clock of one node is compared with another's. Every taking begins a
//! new term.
//!
//! A write under a lease names its term. The first of a term in a partition makes the term known there, in the same
//! transaction; from then on the partition refuses earlier terms. So who held the lease before and only now wakes up
//! writes nothing behind a successor's back: what it writes before the successor's first write there, that one finds. And
//! a taking is one transaction: no partition that is busy or stuck holds it up.

use futures_util::future::try_join;
use uuid::Uuid;

use crate::migrations::META_PART;
use crate::statement::{Row, Statement, Value};
use crate::store::{Reader, Store};
use crate::{Abort, PartitionId, StoreError, Transaction, Work};

/// The lease of whoever does the background work: where a node serves, one holds it.
pub const BACKGROUND: &str = "background";

static READ: Statement =
    Statement::new("lease.read", "SELECT holder, term, beat, held FROM lease WHERE part = $1 AND name = $2");
static STORE: Statement = Statement::new(
    "lease.store",
    "INSERT INTO lease (part, name, holder, term, beat, held) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, name)
     DO UPDATE SET holder = excluded.holder, term = excluded.term, beat = excluded.beat, held = excluded.held",
);
static READ_FENCE: Statement =
    Statement::new("lease_fence.read", "SELECT term FROM lease_fence WHERE part = $1 AND name = $2");
static RAISE_FENCE: Statement = Statement::new(
    "lease_fence.raise",
    "INSERT INTO lease_fence (part, name, term) VALUES ($1, $2, $3)
     ON CONFLICT (part, name) DO UPDATE SET term = excluded.term",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&READ, &STORE, &READ_FENCE, &RAISE_FENCE];

/// A lease as it is at one moment. Equal to what it was before: its holder has not renewed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it, or held it last.
    pub holder: Uuid,
    /// Counts the holders.
    pub term: i64,
    /// Counts the renewals.
    beat: i64,
    /// Whether it is held: its holder may have given it back.
    pub held: bool,
}

/// The term that a holder writes under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    lease: &'static str,
    term: i64,
}

impl Fence {
    /// The number of the term: the first holder's is 1.
    pub fn term(self) -> i64 {
        self.term
    }
}

impl Reader {
    /// A lease as it is now; `None` when nobody ever held it.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let values = [META_PART.into(), Value::Text(name)];
        self.connection.query_opt(&READ, &values, read_lease).await
    }

    async fn fence(&self, part: PartitionId, lease: &str) -> Result<i64, StoreError> {
        let values = [part.0.into(), Value::Text(lease)];
        Ok(self.connection.query_opt(&READ_FENCE, &values, |row| row.int(0)).await?.unwrap_or_default())
    }
}

impl Store {
    /// Takes a lease that is as it was `seen`, for a new term; `None` when another came first. Who asks again, because it
    /// did not hear the answer, gets the same term. `holder` must be nobody else's.
    pub async fn take_lease(
        &self,
        name: &'static str,
        holder: Uuid,
        seen: Option<Lease>,
    ) -> Result<Option<Fence>, Abort> {
        self.write(PartitionId(META_PART), Take { name, holder, seen }).await
    }

    /// Tells the others that the holder is alive; `false` when the lease is another's by now.
    pub async fn renew_lease(&self, fence: Fence) -> Result<bool, Abort> {
        self.write(PartitionId(META_PART), Renew { fence, held: true }).await
    }

    /// Gives a lease back: the next may take it at once.
    pub async fn release_lease(&self, fence: Fence) -> Result<(), Abort> {
        self.write(PartitionId(META_PART), Renew { fence, held: false }).await.map(drop)
    }

    /// Runs `work` as [`Store::write`] does, under a lease.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later holder of the lease has written this partition; nothing was written.
    pub async fn write_fenced<W: Work>(
        &self,
        fence: Fence,
        part: PartitionId,
        work: W,
    ) -> Result<W::Reply, Abort> {
        self.write(part, Fenced { fence, work }).await
    }
}

struct Take {
    name: &'static str,
    holder: Uuid,
    seen: Option<Lease>,
}

impl Work for Take {
    type Reply = Option<Fence>;

    async fn run(&self, tx: &Transaction) -> Result<Option<Fence>, Abort> {
        let term = self.seen.map_or(0, |lease| lease.term) + 1;
        let (fence, taken) =
            (Fence { lease: self.name, term }, Lease { holder: self.holder, term, beat: 0, held: true });
        let lease = tx.lease(self.name).await?;
        if lease == Some(taken) {
            // It was committed before, and the answer was lost.
            return Ok(Some(fence));
        }
        if lease != self.seen {
            return Ok(None);
        }
        tx.store_lease(self.name, taken).await?;
        Ok(Some(fence))
    }
}

struct Renew {
    fence: Fence,
    held: bool,
}

impl Work for Renew {
    type Reply = bool;

    async fn run(&self, tx: &Transaction) -> Result<bool, Abort> {
        let lease = tx.lease(self.fence.lease).await?;
        let Some(lease) = lease.filter(|lease| lease.term == self.fence.term && lease.held) else {
            return Ok(false);
        };
        tx.store_lease(self.fence.lease, Lease { beat: lease.beat + 1, held: self.held, ..lease }).await?;
        Ok(true)
    }
}

struct Fenced<W> {
    fence: Fence,
    work: W,
}

impl<W: Work> Work for Fenced<W> {
    type Reply = W::Reply;

    async fn run(&self, tx: &Transaction) -> Result<W::Reply, Abort> {
        let raised = async { self.fence.raise(tx).await.map_err(Abort::Store) };
        try_join(raised, self.work.run(tx)).await.map(|((), reply)| reply)
    }
}

impl Fence {
    /// Makes the term known to the partition, unless it knows of it already.
    async fn raise(self, tx: &Transaction) -> Result<(), StoreError> {
        let known = tx.fence(tx.part(), self.lease).await?;
        if known > self.term {
            return Err(StoreError::Fenced { lease: self.lease });
        }
        if known < self.term {
            tx.mark_written();
            let values = [tx.part().0.into(), Value::Text(self.lease), self.term.into()];
            tx.connection.execute(&RAISE_FENCE, &values).await?;
        }
        Ok(())
    }
}

impl Transaction {
    async fn store_lease(&self, name: &str, lease: Lease) -> Result<(), StoreError> {
        self.mark_written();
        let values = [
            META_PART.into(),
            Value::Text(name),
            Value::from(&lease.holder),
            lease.term.into(),
            lease.beat.into(),
            lease.held.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }
}

fn read_lease(row: &Row<'_>) -> Result<Lease, StoreError> {
    Ok(Lease { holder: row.uuid(0)?, term: row.int(1)?, beat: row.int(2)?, held: row.flag(3)? })
}
