//! Removes what is past its retention.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use rampart_core::organization::handshake::forgotten_by;
use rampart_core::permission::replacement::ReplaceWork;
use rampart_core::permission::{CustomerPermission, PermissionVersion, customer};
use rampart_core::{Change, Invitation, InvitationArn, ShareArn, TimestampMs};
use rampart_store::{
    Abort, AssociationKey, CreationKey, EventKey, HandshakeKey, PartitionId, TokenKey, Transaction, Work,
};

use super::Worker;
use super::endings::{drop_of, is_untidy};
use super::{BATCH_MAX, ROWS_MAX};

/// Entries of the change log that one transaction removes.
const LOG_ENTRIES_MAX: u32 = 1_000;

/// Removes what is past its retention.
pub(super) async fn purge(worker: &Worker<'_>) -> Result<usize, Abort> {
    let (now, timing) = (worker.app.clock().now(), worker.app.timing());
    let before = |kept_ms| now.saturating_sub_ms(kept_ms);
    let reader = worker.app.store.reader().await?;
    let ended = reader.ended_associations(before(timing.ended_association_visible_ms), BATCH_MAX).await?;
    let deleted = reader.deleted_shares(before(timing.deleted_share_visible_ms), BATCH_MAX).await?;
    let answered = before(timing.answered_invitation_visible_ms);
    let mut invitations = reader.answered_invitations(false, answered, BATCH_MAX).await?;
    invitations.extend(reader.expired_invitations(answered, BATCH_MAX).await?);
    if let Some(kept_ms) = timing.accepted_invitation_visible_ms {
        invitations.extend(reader.answered_invitations(true, before(kept_ms), BATCH_MAX).await?);
    }
    let tokens = reader.expired_tokens(now, BATCH_MAX).await?;
    let events = reader.recorded_events(before(worker.app.settings.event_kept_ms), BATCH_MAX).await?;
    let gone = before(timing.deleted_permission_visible_ms);
    let permissions = reader.deleted_permissions(gone, BATCH_MAX).await?;
    let versions = reader.deleted_permission_versions(gone, BATCH_MAX).await?;
    let works = reader.finished_replace_works(before(timing.finished_work_visible_ms), BATCH_MAX).await?;
    let forgotten = forgotten_by(now, timing.handshake_visible_ms);
    let handshakes = reader.forgotten_handshakes(forgotten, BATCH_MAX).await?;
    let requested = before(timing.account_creation_visible_ms);
    let creations = reader.forgotten_creations(requested, BATCH_MAX).await?;
    let logs = reader.logs_older_than(before(worker.app.settings.change_log_kept_ms)).await?;
    // The snapshot ends before the writes begin.
    drop(reader);
    let mut done = ended.len() + invitations.len() + tokens.len() + events.len();
    done += permissions.len() + versions.len() + works.len() + handshakes.len() + creations.len();
    for (part, keys) in by_partition(ended, |key| worker.app.store.partition_of(key.share.owner)) {
        worker.write(part, PurgeAssociations { keys, now }).await?;
    }
    for (part, invitations) in by_partition(invitations, |arn| worker.app.store.partition_of(arn.sender)) {
        worker.write(part, PurgeInvitations { invitations, now }).await?;
    }
    for share in deleted {
        done += worker.write(worker.app.store.partition_of(share.owner), PurgeShare { share, now }).await?;
    }
    for (part, permissions) in by_partition(permissions, |row| worker.app.store.partition_of(row.owner)) {
        worker.write(part, PurgePermissions { permissions, now }).await?;
    }
    for (part, versions) in by_partition(versions, |row| worker.app.store.partition_of(row.owner)) {
        worker.write(part, PurgeVersions { versions, now }).await?;
    }
    for (part, works) in by_partition(works, |work| worker.app.store.partition_of(work.owner)) {
        worker.write(part, PurgeWorks { works, now }).await?;
    }
    for (part, keys) in by_partition(tokens, TokenKey::part) {
        worker.write(part, PurgeTokens { keys, now }).await?;
    }
    for (part, keys) in by_partition(events, EventKey::part) {
        worker.write(part, PurgeEvents { keys }).await?;
    }
    for part in logs {
        let at = before(worker.app.settings.change_log_kept_ms);
        done += worker.write(part, TrimLog { at }).await?;
    }
    for (part, keys) in by_partition(handshakes, |key| worker.app.store.partition_of(key.management)) {
        worker.write(part, PurgeHandshakes { keys, forgotten }).await?;
    }
    for (part, keys) in by_partition(creations, |key| worker.app.store.partition_of(key.management)) {
        worker.write(part, PurgeCreations { keys }).await?;
    }
    Ok(done)
}

/// One transaction for all that is found of a partition: a commit costs more than the rows.
fn by_partition<T>(items: Vec<T>, part: impl Fn(&T) -> PartitionId) -> BTreeMap<PartitionId, Vec<T>> {
    let mut parts: BTreeMap<PartitionId, Vec<T>> = BTreeMap::new();
    for item in items {
        parts.entry(part(&item)).or_default().push(item);
    }
    parts
}

struct PurgeAssociations {
    keys: Vec<AssociationKey>,
    now: TimestampMs,
}

impl Work for PurgeAssociations {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let rows = self.keys.iter().map(|key| tx.association(key.share, key.kind, &key.entity));
        let rows = try_join_all(rows).await?;
        // What was associated again since it was found stays.
        let over = self
            .keys
            .iter()
            .zip(rows)
            .filter(|(_, row)| row.as_ref().is_some_and(|row| row.has_ended(self.now)));
        let changes: Vec<_> = over.map(|(key, _)| purged(key)).collect();
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

fn purged(key: &AssociationKey) -> Change {
    Change::AssociationPurged {
        owner: key.share.owner,
        region: key.share.region,
        share: key.share.id,
        kind: key.kind,
        entity: key.entity.clone(),
    }
}

struct PurgeInvitations {
    invitations: Vec<InvitationArn>,
    now: TimestampMs,
}

impl Work for PurgeInvitations {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let changes: Vec<_> = self.invitations.iter().map(drop_of).collect();
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

/// Removes a share with all that is left of it but its rejected and expired invitations, some rows at a time.
struct PurgeShare {
    share: ShareArn,
    now: TimestampMs,
}

impl Work for PurgeShare {
    type Reply = usize;

    async fn run(&self, tx: &Transaction) -> Result<usize, Abort> {
        let share = tx.resource_share(self.share).await?;
        let Some((share, deleted)) = share.and_then(|share| share.deleted.map(|at| (share, at))) else {
            return Ok(0);
        };
        if is_untidy(&share) {
            // The ends of what it held come first.
            return Ok(0);
        }
        let keys = tx.association_keys(self.share, ROWS_MAX).await?;
        let invitations = tx.nameless_invitations(self.share, ROWS_MAX).await?;
        let left = invitations.into_iter().map(|invitation| {
            if invitation.outlives_share(deleted) {
                // Shown for longer than the share, whose name it tells.
                let share_name = Some(share.name.clone());
                Change::InvitationStored(Invitation { share_name, ..invitation })
            } else {
                drop_of(&invitation.arn())
            }
        });
        let mut changes: Vec<_> = keys.iter().map(purged).chain(left).collect();
        if changes.is_empty() {
            let ShareArn { owner, region, id } = self.share;
            changes.push(Change::SharePurged { owner, region, share: id });
        }
        tx.apply(&changes, self.now).await?;
        Ok(changes.len())
    }
}

struct PurgePermissions {
    permissions: Vec<CustomerPermission>,
    now: TimestampMs,
}

impl Work for PurgePermissions {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let rows = self.permissions.iter().map(|row| tx.permission(row.owner, row.region, &row.name));
        let rows = try_join_all(rows).await?;
        // A name that was used again since stays.
        let same = |(found, row): &(&CustomerPermission, Option<CustomerPermission>)| {
            row.as_ref().is_some_and(|row| row.id == found.id && row.deleted.is_some())
        };
        let over = self.permissions.iter().zip(rows).filter(same);
        let changes: Vec<_> = over.map(|(found, _)| customer::purge(found)).collect();
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

struct PurgeVersions {
    versions: Vec<PermissionVersion>,
    now: TimestampMs,
}

impl Work for PurgeVersions {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let rows = self.versions.iter();
        let rows = rows
            .map(|row| tx.permission_version(row.owner, row.region, &row.name, i64::from(row.head.number)));
        let rows = try_join_all(rows).await?;
        // As it was found: the name may have been used again since.
        let over = self.versions.iter().zip(rows).filter(|(found, row)| row.as_ref() == Some(*found));
        let purged = |version: &PermissionVersion| Change::PermissionVersionPurged {
            owner: version.owner,
            region: version.region,
            name: version.name.clone(),
            number: version.head.number,
        };
        let changes: Vec<_> = over.map(|(found, _)| purged(found)).collect();
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

struct PurgeWorks {
    works: Vec<ReplaceWork>,
    now: TimestampMs,
}

impl Work for PurgeWorks {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        // A finished work does not change any more.
        let purged = |work: &ReplaceWork| Change::ReplaceWorkPurged {
            owner: work.owner,
            region: work.region,
            id: work.id,
        };
        let changes: Vec<_> = self.works.iter().map(purged).collect();
        tx.apply(&changes, self.now).await?;
        Ok(())
    }
}

struct PurgeTokens {
    keys: Vec<TokenKey>,
    now: TimestampMs,
}

impl Work for PurgeTokens {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        try_join_all(self.keys.iter().map(|key| tx.drop_token(key, self.now))).await?;
        Ok(())
    }
}

struct PurgeEvents {
    keys: Vec<EventKey>,
}

impl Work for PurgeEvents {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        try_join_all(self.keys.iter().map(|key| tx.drop_event(*key))).await?;
        Ok(())
    }
}

struct TrimLog {
    at: TimestampMs,
}

impl Work for TrimLog {
    type Reply = usize;

    async fn run(&self, tx: &Transaction) -> Result<usize, Abort> {
        Ok(tx.trim_log(self.at, LOG_ENTRIES_MAX).await?)
    }
}

struct PurgeHandshakes {
    keys: Vec<HandshakeKey>,
    forgotten: TimestampMs,
}

impl Work for PurgeHandshakes {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        try_join_all(self.keys.iter().map(|key| tx.drop_handshake(key, self.forgotten))).await?;
        Ok(())
    }
}

struct PurgeCreations {
    keys: Vec<CreationKey>,
}

impl Work for PurgeCreations {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        try_join_all(self.keys.iter().map(|key| tx.drop_creation(key))).await?;
        Ok(())
    }
}
