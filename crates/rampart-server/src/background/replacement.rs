//! Replaces permissions in the shares that have them, some rows in each transaction.

use futures_util::future::try_join;
use rampart_core::AttachedPermission;
use rampart_core::TimestampMs;
use rampart_core::catalog::Catalog;
use rampart_core::permission::replacement::{ReplaceWork, WorkState, decide_step};
use rampart_core::permission::{CustomerPermission, PermissionName};
use rampart_store::{Abort, AttachedInShare, AttachmentCursor, Transaction, Work};
use uuid::Uuid;

use super::{BATCH_MAX, ROWS_MAX, Run};

/// Goes on with the replacements of permissions until there is none left; each step is one transaction.
pub(super) async fn replace_permissions(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    loop {
        let before = run.done();
        let settled = app.clock().now().saturating_sub_ms(app.timing().settle_delay_ms);
        let works = app.store.reader().await?.open_replace_works(settled, BATCH_MAX).await?;
        for work in works {
            let part = app.store.partition_of(work.owner);
            let step = ReplaceStep { catalog: app.catalog, work, now: app.clock().now() };
            let rows = run.write(part, step).await?;
            run.add(rows.unwrap_or_default());
        }
        if run.done() == before {
            return Ok(());
        }
    }
}

fn with_id(row: AttachedInShare) -> (AttachedPermission, Uuid) {
    let id = AttachmentCursor::after(&row.attached).id;
    (row.attached, id)
}

struct ReplaceStep {
    catalog: &'static Catalog,
    work: ReplaceWork,
    now: TimestampMs,
}

impl Work for ReplaceStep {
    type Reply = usize;

    async fn run(&self, tx: &Transaction) -> Result<usize, Abort> {
        let (owner, region) = (self.work.owner, self.work.region);
        let Some(work) = tx.replace_work(owner, region, self.work.id).await? else { return Ok(0) };
        let WorkState::InProgress { after } = &work.state else { return Ok(0) };
        let after = after.map_or(AttachmentCursor::START, |(attached, id)| AttachmentCursor { attached, id });
        let of = Some((&work.from, work.from_version.map(i64::from)));
        let rows = tx.attached_permissions(owner, region, of, after, ROWS_MAX).await?;
        let at_end = rows.len() < usize::try_from(ROWS_MAX).expect("a number of rows fits");
        let rows: Vec<_> = rows.into_iter().map(with_id).collect();
        let changes = decide_step(&work, &rows, at_end, self.target_is_there(tx, &work).await?, self.now);
        tx.apply(&changes, self.now).await?;
        Ok(changes.len())
    }
}

impl ReplaceStep {
    async fn target_is_there(&self, tx: &Transaction, work: &ReplaceWork) -> Result<bool, Abort> {
        match &work.to {
            PermissionName::Managed(name) => Ok(self.catalog.permission_named(name).is_some()),
            PermissionName::Customer(name) => {
                let number = i64::from(work.to_version);
                let version = tx.permission_version(work.owner, work.region, name, number);
                let (permission, version) =
                    try_join(tx.permission(work.owner, work.region, name), version).await?;
                // Another permission may have the name by now.
                let same = |row: &CustomerPermission| row.deleted.is_none() && Some(row.id) == work.to_id;
                let lives = permission.as_ref().is_some_and(same);
                Ok(lives && version.is_some_and(|row| row.deleted.is_none()))
            }
        }
    }
}
