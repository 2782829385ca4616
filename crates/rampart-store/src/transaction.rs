//! The transaction that an operation writes in.
//!
//! It belongs to one partition, whose head row it took first: writes of a partition happen one after another, each
//! sees all that came before, and no rule depends on an isolation level. What it did is appended to the change log in
//! the same commit.

use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{try_join, try_join_all, try_join3};
use rampart_core::change::{Bearing, CHANGE_FORMAT};
use rampart_core::{Change, ShareArn, TimestampMs};
use serde::Serialize;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::store::Reader;
use crate::tables::change_log;
use crate::{Abort, PartitionId, StoreError};

/// What an operation does inside its transaction: load, decide, apply. It may be run again from the top when it met
/// other writers, so it must not have effects of its own.
pub trait Work: Send + Sync + 'static {
    /// What it answers once the transaction is durable.
    type Reply: Send + 'static;

    /// Runs it.
    fn run(&self, tx: &Transaction) -> impl Future<Output = Result<Self::Reply, Abort>> + Send;
}

impl<W: Work> Work for std::sync::Arc<W> {
    type Reply = W::Reply;

    async fn run(&self, tx: &Transaction) -> Result<W::Reply, Abort> {
        W::run(self, tx).await
    }
}

/// A write transaction of one partition. It reads through the [`Reader`] it derefs to.
pub struct Transaction {
    reader: Reader,
    part: PartitionId,
    /// The partition's log position, known once the head row is taken.
    seq: OnceCell<i64>,
    /// The place of this operation among those that commit together.
    idx: i64,
    /// Tells the log entries of those that commit together from any others: how an unknown commit outcome is looked up.
    id: Uuid,
    /// How many changes it wrote.
    written: AtomicUsize,
}

#[derive(Serialize)]
struct Payload<'a> {
    v: u32,
    tx: Uuid,
    changes: &'a [Change],
}

impl Transaction {
    pub(crate) fn new(reader: Reader, part: PartitionId, seq: OnceCell<i64>, idx: i64, id: Uuid) -> Self {
        Self { reader, part, seq, idx, id, written: AtomicUsize::new(0) }
    }

    /// The partition that this transaction may write.
    pub(crate) fn part(&self) -> PartitionId {
        self.part
    }

    /// Fills in the log position once the head row has answered.
    pub(crate) fn head_taken(&self, seq: i64) {
        // Set at most once per transaction: a second value cannot come.
        let _ = self.seq.set(seq);
    }

    pub(crate) fn has_written(&self) -> bool {
        self.written() > 0
    }

    /// How many changes were written.
    pub(crate) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Writes `changes` and their log entry, which bears the present time. At most once per operation. On PostgreSQL all of it
    /// is one round trip.
    pub async fn apply(&self, changes: &[Change], now: TimestampMs) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.written.fetch_add(changes.len(), Ordering::Relaxed);
        let payload = serde_json::to_string(&Payload { v: CHANGE_FORMAT, tx: self.id, changes })
            .map_err(|e| StoreError::Corrupt { what: format!("a change does not serialize: {e}") })?;
        // What was there goes before what comes, the log entry included: of statements sent together, one that the
        // connection has not prepared yet falls behind.
        let (gone, rows): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.removes());
        try_join_all(gone.into_iter().map(|change| self.store_change(change))).await?;
        // Of the rest no two concern one row. Only the log entry waits for the head row's answer.
        let rows = try_join_all(rows.into_iter().map(|change| self.store_change(change)));
        let bearing = changes.iter().map(Change::bearing).max().unwrap_or(Bearing::Nothing);
        let callers = self.tell_callers(bearing);
        let log = async {
            let seq = *self.seq.get_or_try_init(|| self.head_seq()).await?;
            let events = self.record_events(changes, seq, self.idx);
            let entry = change_log::append(&self.reader, self.part, seq, self.idx, now, &payload);
            try_join(events, entry).await
        };
        try_join3(rows, callers, log).await?;
        Ok(())
    }

    /// Says that something is written that is no change.
    pub(crate) fn mark_written(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    /// The head row is ours by now, so reading it again gives the position we took.
    async fn head_seq(&self) -> Result<i64, StoreError> {
        Ok(self.reader.log_head(self.part).await?.seq)
    }

    async fn store_change(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::AccountStored(account) => self.store_account(account).await,
            Change::AccessKeyStored(key) => self.store_access_key(key).await,
            Change::AccessKeyDropped { account, id } => self.drop_access_key(*account, id).await,
            Change::IdentityStored(identity) => self.store_iam_identity(identity).await,
            Change::IdentityDropped { account, kind, name } => {
                self.drop_iam_identity(*account, *kind, name).await
            }
            Change::IdentityPolicyStored(policy) => self.store_iam_policy(policy).await,
            Change::IdentityPolicyDropped { account, kind, identity, inline, policy } => {
                self.drop_iam_policy(*account, *kind, identity, *inline, policy).await
            }
            Change::IamUsageStored(usage) => self.store_iam_usage(usage).await,
            Change::ShareStored(share) => self.store_resource_share(share).await,
            Change::ShareTagged { owner, region, share, share_created, added, removed } => {
                let share = ShareArn { owner: *owner, region: *region, id: *share };
                self.store_tags(share, *share_created, added, removed).await
            }
            Change::AssociationStored(association) => self.store_association(association).await,
            Change::InvitationStored(invitation) => self.store_invitation(invitation).await,
            Change::InvitationDropped { sender, region, invitation } => {
                self.drop_invitation(*sender, *region, *invitation).await
            }
            Change::PermissionAttached(row) => self.attach_permission(row).await,
            Change::PermissionDetached { owner, region, share, resource_type } => {
                let share = ShareArn { owner: *owner, region: *region, id: *share };
                self.detach_permission(share, resource_type).await
            }
            Change::ResourcePolicyStored(row) => self.store_resource_policy(row).await,
            Change::ResourcePolicyDropped { owner, region, resource } => {
                self.drop_resource_policy(*owner, *region, resource).await
            }
            Change::PermissionStored(permission) => self.store_permission(permission).await,
            Change::PermissionVersionStored(version) => self.store_permission_version(version).await,
            Change::PermissionUsageStored(usage) => self.store_permission_usage(usage).await,
            Change::PermissionPurged { owner, region, name } => {
                self.purge_permission(*owner, *region, name).await
            }
            Change::PermissionVersionPurged { owner, region, name, number } => {
                self.purge_permission_version(*owner, *region, name, *number).await
            }
            Change::ReplaceWorkStored(work) => self.store_replace_work(work).await,
            Change::ReplaceWorkPurged { owner, region, id } => {
                self.drop_replace_work(*owner, *region, *id).await
            }
            Change::UsageStored(usage) => self.store_usage(usage).await,
            // Events are numbered by the log position: they are written with the log entry.
            Change::EventRecorded(_) => Ok(()),
            Change::AssociationPurged { owner, region, share, kind, entity } => {
                let share = ShareArn { owner: *owner, region: *region, id: *share };
                self.purge_association(share, *kind, entity).await
            }
            Change::SharePurged { owner, region, share } => {
                self.purge_share(ShareArn { owner: *owner, region: *region, id: *share }).await
            }
            Change::Organization(change) => self.store_organization_change(change).await,
            Change::PartitionEmptied => self.empty_partition().await,
        }
    }
}

impl Deref for Transaction {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}
