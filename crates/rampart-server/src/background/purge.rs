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

use super::endings::{drop_of, is_untidy};
use super::{BATCH_MAX, ROWS_MAX, Run};
use crate::app::App;

/// Entries of the change log that one transaction removes.
const LOG_ENTRIES_MAX: u32 = 1_000;

/// Removes what is past its retention. What cannot be read of one kind does not hold up the others.
pub(super) async fn purge(run: &mut Run<'_>) -> Result<(), Abort> {
    let ended = associations(run).await;
    run.pass_over(ended)?;
    let ended = invitations(run).await;
    run.pass_over(ended)?;
    let ended = shares(run).await;
    run.pass_over(ended)?;
    let ended = permissions(run).await;
    run.pass_over(ended)?;
    let ended = works(run).await;
    run.pass_over(ended)?;
    let ended = tokens_and_events(run).await;
    run.pass_over(ended)?;
    let ended = organizations(run).await;
    run.pass_over(ended)?;
    logs(run).await
}

/// So long ago by the server's time.
fn before(app: &App, ms: i64) -> TimestampMs {
    app.clock().now().saturating_sub_ms(ms)
}

async fn associations(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let by = before(app, app.timing().ended_association_visible_ms);
    let ended = app.store.reader().await?.ended_associations(by, BATCH_MAX).await?;
    let part = |key: &AssociationKey| app.store.partition_of(key.share.owner);
    by_partition(run, ended, part, |keys| PurgeAssociations { keys, now: app.clock().now() }).await
}

async fn invitations(run: &mut Run<'_>) -> Result<(), Abort> {
    let (app, timing) = (run.app, run.app.timing());
    let answered = before(app, timing.answered_invitation_visible_ms);
    let reader = app.store.reader().await?;
    let mut found = reader.answered_invitations(false, answered, BATCH_MAX).await?;
    found.extend(reader.expired_invitations(answered, BATCH_MAX).await?);
    if let Some(kept_ms) = timing.accepted_invitation_visible_ms {
        found.extend(reader.answered_invitations(true, before(app, kept_ms), BATCH_MAX).await?);
    }
    // The snapshot ends before the writes begin.
    drop(reader);
    let part = |arn: &InvitationArn| app.store.partition_of(arn.sender);
    let work = |invitations| PurgeInvitations { invitations, now: app.clock().now() };
    by_partition(run, found, part, work).await
}

async fn shares(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let by = before(app, app.timing().deleted_share_visible_ms);
    let deleted = app.store.reader().await?.deleted_shares(by, BATCH_MAX).await?;
    for share in deleted {
        let purge = PurgeShare { share, now: app.clock().now() };
        let rows = run.write(app.store.partition_of(share.owner), purge).await?;
        run.add(rows.unwrap_or_default());
    }
    Ok(())
}

async fn permissions(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let gone = before(app, app.timing().deleted_permission_visible_ms);
    let reader = app.store.reader().await?;
    let permissions = reader.deleted_permissions(gone, BATCH_MAX).await?;
    let versions = reader.deleted_permission_versions(gone, BATCH_MAX).await?;
    drop(reader);
    let part = |row: &CustomerPermission| app.store.partition_of(row.owner);
    let work = |permissions| PurgePermissions { permissions, now: app.clock().now() };
    by_partition(run, permissions, part, work).await?;
    let part = |row: &PermissionVersion| app.store.partition_of(row.owner);
    by_partition(run, versions, part, |versions| PurgeVersions { versions, now: app.clock().now() }).await
}

async fn works(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let by = before(app, app.timing().finished_work_visible_ms);
    let works = app.store.reader().await?.finished_replace_works(by, BATCH_MAX).await?;
    let part = |work: &ReplaceWork| app.store.partition_of(work.owner);
    by_partition(run, works, part, |works| PurgeWorks { works, now: app.clock().now() }).await
}

async fn tokens_and_events(run: &mut Run<'_>) -> Result<(), Abort> {
    let (app, now) = (run.app, run.app.clock().now());
    let reader = app.store.reader().await?;
    let tokens = reader.expired_tokens(now, BATCH_MAX).await?;
    let events = reader.recorded_events(before(app, app.settings.event_kept_ms), BATCH_MAX).await?;
    drop(reader);
    by_partition(run, tokens, TokenKey::part, |keys| PurgeTokens { keys, now }).await?;
    by_partition(run, events, EventKey::part, |keys| PurgeEvents { keys }).await
}

async fn organizations(run: &mut Run<'_>) -> Result<(), Abort> {
    let (app, timing) = (run.app, run.app.timing());
    let forgotten = forgotten_by(app.clock().now(), timing.handshake_visible_ms);
    let reader = app.store.reader().await?;
    let handshakes = reader.forgotten_handshakes(forgotten, BATCH_MAX).await?;
    let requested = before(app, timing.account_creation_visible_ms);
    let creations = reader.forgotten_creations(requested, BATCH_MAX).await?;
    drop(reader);
    let part = |key: &HandshakeKey| app.store.partition_of(key.management);
    by_partition(run, handshakes, part, |keys| PurgeHandshakes { keys, forgotten }).await?;
    let part = |key: &CreationKey| app.store.partition_of(key.management);
    by_partition(run, creations, part, |keys| PurgeCreations { keys }).await
}

async fn logs(run: &mut Run<'_>) -> Result<(), Abort> {
    let app = run.app;
    let at = before(app, app.settings.change_log_kept_ms);
    let old = app.store.reader().await?.logs_older_than(at).await?;
    for part in old {
        let entries = run.write(part, TrimLog { at }).await?;
        run.add(entries.unwrap_or_default());
    }
    Ok(())
}

/// One transaction for all that is found of a partition: a commit costs more than the rows. Where that fails each row is
/// tried by itself.
async fn by_partition<T: Clone, W: Work>(
    run: &mut Run<'_>,
    found: Vec<T>,
    part: impl Fn(&T) -> PartitionId,
    work: impl Fn(Vec<T>) -> W,
) -> Result<(), Abort> {
    let mut parts: BTreeMap<PartitionId, Vec<T>> = BTreeMap::new();
    for one in found {
        parts.entry(part(&one)).or_default().push(one);
    }
    for (part, found) in parts {
        let mut done = run.write(part, work(found.clone())).await?.map_or(0, |_| found.len());
        if done == 0 && found.len() > 1 {
            for one in found {
                done += run.write(part, work(vec![one])).await?.map_or(0, |_| 1);
            }
        }
        run.add(done);
    }
    Ok(())
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
