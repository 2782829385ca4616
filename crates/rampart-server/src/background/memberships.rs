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

use super::Run;
use crate::operations::ram::effect::circle_for;

/// Works that are looked at together, and rows of a walk.
const AT_ONCE: u32 = 100;

/// Tidies after accounts that left and after sharing that was disabled.
pub(super) async fn tidy_memberships(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let waiting = app.store.reader().await?.waiting_tidying(app.clock().now(), AT_ONCE).await?;
    for work in waiting {
        let is_all = match work.account {
            Some(account) => after_account(run, account, work.at).await?,
            None => after_sharing(run, work).await?,
        };
        // What is left keeps it on the list.
        if is_all {
            let done = Done(work, app.clock().now());
            let done = run.write(app.store.partition_of(work.management), done).await?;
            run.add(usize::from(done.is_some()));
        }
    }
    Ok(())
}

/// An account left: what it shared with others inside, and what others shared with it. Says whether that is all done.
async fn after_account(run: &mut Run<'_>, account: AccountId, at: TimestampMs) -> Result<bool, Abort> {
    Ok(walk(run, BasisScope::Receiver(account), at).await?
        & walk(run, BasisScope::Owner(account), at).await?)
}

/// Sharing ended: what each member shared. Says whether that is all done.
async fn after_sharing(run: &mut Run<'_>, work: Tidying) -> Result<bool, Abort> {
    let (mut after, mut is_all) = (String::new(), true);
    loop {
        let members = run.app.store.reader().await?.members(work.management, &after, AT_ONCE).await?;
        let Some(last) = members.last() else { return Ok(is_all) };
        after = last.account.to_string();
        for member in members {
            is_all &= walk(run, BasisScope::Owner(member.account), work.at).await?;
        }
    }
}

async fn walk(run: &mut Run<'_>, scope: BasisScope, at: TimestampMs) -> Result<bool, Abort> {
    let app = run.app;
    let (mut after, mut is_all): (Option<BasisCursor>, _) = (None, true);
    loop {
        let rows = app.store.reader().await?.based_associations(scope, after.as_ref(), AT_ONCE).await?;
        let Some(last) = rows.last() else { return Ok(is_all) };
        after = Some(last.clone());
        for row in rows {
            let part = app.store.partition_of(row.share.owner);
            let settle_delay_ms = app.timing().settle_delay_ms;
            let end = End { row, at, now: app.clock().now(), settle_delay_ms };
            let ended = run.write(part, end).await?;
            is_all &= ended.is_some();
            run.add(usize::from(ended.unwrap_or_default()));
        }
    }
}

/// Ends one association, unless what it rests on lasts.
struct End {
    row: BasisCursor,
    at: TimestampMs,
    now: TimestampMs,
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
        tx.apply(&changes, self.now).await?;
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
