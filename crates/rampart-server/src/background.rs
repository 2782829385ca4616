//! What time does: ends what expired or went with its share, records the events of it, and removes rows past their
//! retention. What clients see does not wait for it.
//!
//! Each step finds its work by an index and does it in small transactions of one partition. Each is idempotent, so that
//! a crash, or several servers at once, do no harm.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rampart_core::association::Standing;
use rampart_core::contents::{Contents, EndedThrough};
use rampart_core::invitation::{Found, decide_expire};
use rampart_core::{
    Association, AssociationStatus, Change, InvitationArn, ResourceShare, ShareArn, SharingEvent, TimestampMs,
};
use rampart_store::{Abort, Transaction, Work};

mod memberships;
mod purge;
mod replacement;

pub(crate) use memberships::tidy_memberships;
use purge::purge;
use replacement::replace_permissions;

use tokio::time::Instant;

use crate::app::App;
use crate::operations::ram::offer::load_offer;

/// How often it looks for work.
const INTERVAL: Duration = Duration::from_secs(30);
/// Rows of one kind that are looked for at once.
const BATCH_MAX: u32 = 500;
/// Rows written by one transaction, of a share that is taken apart.
const ROWS_MAX: u32 = 200;

/// Works until `stop` resolves.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let settle_delay = Duration::from_millis(app.timing().settle_delay_ms.try_into().unwrap_or_default());
    // When the work that was asked for first is due, and whether more was asked for since.
    let (mut due_at, mut more) = (None, false);
    loop {
        let only_works = tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => false,
            () = app.work_waits.notified() => {
                more = due_at.is_some();
                due_at = due_at.or(Some(Instant::now() + settle_delay));
                continue;
            }
            () = tokio::time::sleep_until(due_at.unwrap_or_else(Instant::now)), if due_at.is_some() => {
                due_at = more.then(|| Instant::now() + settle_delay);
                more = false;
                true
            }
        };
        let due = async { if only_works { replace_permissions(&app).await } else { sweep(&app).await } };
        tokio::select! {
            () = &mut stop => return,
            result = due => match result {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "tidied up"),
                Err(error) => tracing::warn!(%error, "tidying up is put off"),
            }
        }
    }
}

/// Does all work that is due; says how much it was.
pub async fn sweep(app: &App) -> Result<usize, Abort> {
    let mut done = 0;
    loop {
        let mut step = expire_invitations(app).await? + end_with_their_shares(app).await?;
        step += replace_permissions(app).await? + tidy_memberships(app).await? + purge(app).await?;
        if step == 0 {
            return Ok(done);
        }
        done += step;
    }
}

/// Ends the associations whose invitation expired.
pub(crate) async fn expire_invitations(app: &App) -> Result<usize, Abort> {
    let now = app.clock().now();
    let mut done = 0;
    loop {
        let overdue = app.store.reader().await?.overdue_invitations(now, BATCH_MAX).await?;
        let mut ended = 0;
        for invitation in overdue {
            let part = app.store.partition_of(invitation.sender);
            ended += usize::from(app.store.write(part, Expire { invitation, now }).await?);
        }
        if ended == 0 {
            return Ok(done);
        }
        done += ended;
    }
}

struct Expire {
    invitation: InvitationArn,
    now: TimestampMs,
}

impl Work for Expire {
    type Reply = bool;

    async fn run(&self, tx: &Transaction) -> Result<bool, Abort> {
        let Some(Found::Offer(offer)) = load_offer(tx, self.invitation).await? else { return Ok(false) };
        let Some(decision) = decide_expire(*offer, self.now) else { return Ok(false) };
        tx.apply(&decision.changes, self.now).await?;
        Ok(true)
    }
}

/// Writes down that the associations of deleted shares ended with them.
async fn end_with_their_shares(app: &App) -> Result<usize, Abort> {
    let now = app.clock().now();
    let shares = app.store.reader().await?.untidy_shares(now, BATCH_MAX).await?;
    let mut done = 0;
    for share in shares {
        let settle_delay_ms = app.timing().settle_delay_ms;
        let command = TakeApart { share, now, settle_delay_ms };
        done += app.store.write(app.store.partition_of(share.owner), command).await?;
    }
    Ok(done)
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
fn is_untidy(share: &ResourceShare) -> bool {
    share.contents != Contents::default()
}

fn drop_of(arn: &InvitationArn) -> Change {
    Change::InvitationDropped { sender: arn.sender, region: arn.region, invitation: arn.id }
}
