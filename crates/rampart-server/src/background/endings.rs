//! Ends what expired, and what went with its share.

use rampart_core::association::Standing;
use rampart_core::contents::{Contents, EndedThrough};
use rampart_core::invitation::{Found, decide_expire};
use rampart_core::{
    Association, AssociationStatus, Change, InvitationArn, ResourceShare, ShareArn, SharingEvent,
    TimestampMs, Timing,
};
use rampart_store::{Abort, Transaction, Work};

use super::{BATCH_MAX, ROWS_MAX, Run};
use crate::operations::ram::offer::load_offer;

/// Ends the associations whose invitation expired.
pub(super) async fn expire_invitations(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    loop {
        let (now, before) = (app.clock().now(), run.done());
        let overdue = app.store.reader().await?.overdue_invitations(now, BATCH_MAX).await?;
        for invitation in overdue {
            let expire = Expire { invitation, now: app.clock().now(), timing: *app.timing() };
            let ended = run.write(app.store.partition_of(invitation.sender), expire).await?;
            run.add(usize::from(ended.unwrap_or_default()));
        }
        if run.done() == before {
            return Ok(());
        }
    }
}

struct Expire {
    invitation: InvitationArn,
    now: TimestampMs,
    timing: Timing,
}

impl Work for Expire {
    type Reply = bool;

    async fn run(&self, tx: &Transaction) -> Result<bool, Abort> {
        let Some(Found::Offer(offer)) = load_offer(tx, self.invitation).await? else { return Ok(false) };
        let Some(decision) = decide_expire(*offer, self.now, &self.timing) else { return Ok(false) };
        tx.apply(&decision.changes, self.now).await?;
        Ok(true)
    }
}

/// Writes down that the associations of deleted shares ended with them.
pub(super) async fn end_with_their_shares(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let shares = app.store.reader().await?.untidy_shares(app.clock().now(), BATCH_MAX).await?;
    let settle_delay_ms = app.timing().settle_delay_ms;
    for share in shares {
        let command = TakeApart { share, now: app.clock().now(), settle_delay_ms };
        let rows = run.write(app.store.partition_of(share.owner), command).await?;
        run.add(rows.unwrap_or_default());
    }
    Ok(())
}

struct TakeApart {
    share: ShareArn,
    now: TimestampMs,
    settle_delay_ms: i64,
}

impl Work for TakeApart {
    type Reply = usize;

    async fn run(&self, tx: &Transaction) -> Result<usize, Abort> {
        let share = tx.resource_share(self.share).await?.filter(is_untidy);
        let Some((share, deleted)) = share.and_then(|share| share.deleted.map(|at| (share, at))) else {
            return Ok(0);
        };
        let settled = deleted.saturating_add_ms(self.settle_delay_ms);
        let told = |row: &Association| {
            let status = AssociationStatus::Disassociated;
            Change::EventRecorded(SharingEvent::of_association(row, status, settled))
        };
        let mut changes = Vec::new();
        let mut contents = share.contents;
        if contents.ended_through.is_none() {
            let invitations = tx.invitations_gone_with_share(self.share, deleted, ROWS_MAX).await?;
            changes.extend(invitations.iter().map(drop_of));
            // What was due before that ended by itself: it has an end and events of its own.
            for row in tx.waiting_associations(self.share, deleted, ROWS_MAX).await? {
                changes.push(told(&row));
                changes.push(Change::AssociationStored(Association {
                    standing: Standing::Ended { at: deleted },
                    ..row
                }));
            }
        }
        if changes.is_empty() {
            // What was granted stays so in its row: a consumer sees the deleted share by it.
            let rows = tx.granted_associations(self.share, contents.ended_through, ROWS_MAX).await?;
            changes.extend(rows.iter().map(told));
            // All is written down: the kept counts, which say that something is left, go last.
            contents = rows.last().map_or_else(Contents::default, |row| Contents {
                ended_through: Some(EndedThrough::of(row)),
                ..contents
            });
            changes.push(Change::ShareStored(ResourceShare { contents, ..share }));
        }
        tx.apply(&changes, self.now).await?;
        Ok(changes.len())
    }
}

/// Whether something is left to be written down of what a deleted share held.
pub(super) fn is_untidy(share: &ResourceShare) -> bool {
    share.contents != Contents::default()
}

pub(super) fn drop_of(arn: &InvitationArn) -> Change {
    Change::InvitationDropped { sender: arn.sender, region: arn.region, invitation: arn.id }
}
