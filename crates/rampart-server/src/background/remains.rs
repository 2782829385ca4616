//! Removes what is left of organizations that are no more, and of attachments of policies that were disabled.

use rampart_core::AccountId;
use rampart_store::{Abort, Remains, Store, Transaction, Work};

use super::Run;

/// Rows removed by one transaction, or a few more.
const ROWS_MAX: u32 = 500;
/// Orders that are looked at together.
const AT_ONCE: u32 = 100;

/// Removes all that remains of organizations that `management` had. Before it has another, nothing of them is left.
pub async fn remove_remains(store: &Store, management: AccountId) -> Result<(), Abort> {
    loop {
        let found = store.reader().await?.remains_of(management).await?;
        let Some(remains) = found else { return Ok(()) };
        store.write(store.partition_of(management), Remove(remains)).await?;
    }
}

/// Removes some of all that remains.
pub(super) async fn remove_some(run: &mut Run<'_>) -> Result<(), Abort> {
    let store = &run.app.store;
    let found = store.reader().await?.remains(AT_ONCE).await?;
    for remains in found {
        let removed = run.write(store.partition_of(remains.management), Remove(remains)).await?;
        // The order itself is one more.
        run.add(removed.map_or(0, |rows| usize::try_from(rows).unwrap_or_default() + 1));
    }
    Ok(())
}

struct Remove(Remains);

impl Work for Remove {
    type Reply = u32;

    async fn run(&self, tx: &Transaction) -> Result<u32, Abort> {
        Ok(tx.remove_remains(&self.0, ROWS_MAX).await?)
    }
}
