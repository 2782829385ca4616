//! Ends, row by row, what rested on memberships that are over. Readers have not seen it as effective since these ended.

use rampart_core::association::Standing;
use rampart_core::contents::without;
use rampart_core::organization::change::Tidying;
use rampart_core::organization::circle::lasts;
use rampart_core::{
    AccountId, Association, AssociationKind, AssociationStatus, Change, OrganizationChange, ResourceShare,
    SharingEvent, TimestampMs,
};
use rampart_store::{Abort, BasisCursor, BasisScope, Transaction, Work};

use super::Worker;
use crate::operations::ram::effect::circle_for;

/// Works that are looked at together, and rows of a walk.
const AT_ONCE: u32 = 100;

/// Tidies after accounts that left and after sharing that was disabled; says how many rows it ended.
pub(crate) async fn tidy_memberships(worker: &Worker<'_>) -> Result<usize, Abort> {
    let now = worker.app.clock().now();
    let mut done = 0;
    for work in worker.app.store.reader().await?.waiting_tidying(now, AT_ONCE).await? {
        done += match work.account {
            Some(account) => after_account(worker, account, work.at).await?,
            None => after_sharing(worker, work).await?,
        };
        worker.write(worker.app.store.partition_of(work.management), Done(work, now)).await?;
        done += 1;
    }
    Ok(done)
}

/// An account left: what it shared with others inside, and what others shared with it.
async fn after_account(worker: &Worker<'_>, account: AccountId, at: TimestampMs) -> Result<usize, Abort> {
    Ok(walk(worker, BasisScope::Receiver(account), at).await?
        + walk(worker, BasisScope::Owner(account), at).await?)
}

/// Sharing ended: what each member shared.
async fn after_sharing(worker: &Worker<'_>, work: Tidying) -> Result<usize, Abort> {
    let (mut after, mut done) = (String::new(), 0);
    loop {
        let members = worker.app.store.reader().await?.members(work.management, &after, AT_ONCE).await?;
        let Some(last) = members.last() else { return Ok(done) };
        after = last.account.to_string();
        for member in members {
            done += walk(worker, BasisScope::Owner(member.account), work.at).await?;
        }
    }
}

async fn walk(worker: &Worker<'_>, scope: BasisScope, at: TimestampMs) -> Result<usize, Abort> {
    let (mut after, mut done): (Option<BasisCursor>, _) = (None, 0);
    loop {
        let rows =
            worker.app.store.reader().await?.based_associations(scope, after.as_ref(), AT_ONCE).await?;
        let Some(last) = rows.last() else { return Ok(done) };
        after = Some(last.clone());
        for row in rows {
            let settle_delay_ms = worker.app.timing().settle_delay_ms;
            let part = worker.app.store.partition_of(row.share.owner);
            done += usize::from(worker.write(part, End { row, at, settle_delay_ms }).await?);
        }
    }
}

/// Ends one association, unless what it rests on lasts.
struct End {
    row: BasisCursor,
    at: TimestampMs,
    settle_delay_ms: i64,
}

impl Work for End {
    type Reply = bool;

    async fn run(&self, tx: &Transaction) -> Result<bool, Abort> {
        let arn = self.row.share;
        let (share, row, usage) = futures_util::future::try_join3(
            tx.resource_share(arn),
            tx.association(arn, AssociationKind::Principal, &self.row.entity),
            tx.owner_usage(arn.owner, arn.region),
        )
        .await?;
        let granted = row.filter(|row| matches!(row.standing, Standing::Granted { .. }));
        // What a deleted share held ended with it.
        let (Some(share), Some(row)) = (share.filter(|share| share.deleted.is_none()), granted) else {
            return Ok(false);
        };
        let circle = circle_for(tx, arn.owner, &[], std::slice::from_ref(&row)).await?;
        if lasts(&row, circle.as_ref()) {
            return Ok(false);
        }
        let contents = without(&share.contents, &row);
        let usage = usage.moved(&share.contents, &contents);
        let ended = Association { standing: Standing::Ended { at: self.at }, ..row };
        let settled = self.at.saturating_add_ms(self.settle_delay_ms);
        let event = SharingEvent::of_association(&ended, AssociationStatus::Disassociated, settled);
        let changes = [
            Change::UsageStored(usage),
            Change::ShareStored(ResourceShare { contents, ..share }),
            Change::AssociationStored(ended),
            Change::EventRecorded(event),
        ];
        tx.apply(&changes, self.at).await?;
        Ok(true)
    }
}

/// Strikes off a work, unless it was ordered anew meanwhile.
struct Done(Tidying, TimestampMs);

impl Work for Done {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let done = Change::Organization(OrganizationChange::TidyingDone(self.0));
        Ok(tx.apply(&[done], self.1).await?)
    }
}
