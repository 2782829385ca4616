//! `resource_share` and its tags: the owner's shares, and the shares that others let an account see.

use rampart_core::association::Member;
use rampart_core::contents::Contents;
use rampart_core::organization::Basis;
use rampart_core::resource_share::{Origin, Tag};
use rampart_core::{AccountId, Region, ResourceShare, ShareArn, ShareId, TimestampMs, Timing};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value, to_json};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "resource_share.load",
    "SELECT owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms, updated_ms, deleted_ms,
            contents, from_policy, promoted_ms
     FROM resource_share WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4",
);
static OWNED: Statement = Statement::new(
    "resource_share.owned",
    "SELECT owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms, updated_ms, deleted_ms,
            contents, from_policy, promoted_ms
     FROM resource_share
     WHERE part = $1 AND owner = $2 AND region = $3 AND (created_ms, share_id) > ($4, $5)
       AND (deleted_ms IS NULL OR deleted_ms > $6)
     ORDER BY created_ms, share_id LIMIT $7",
);
static OWNED_DELETED: Statement = Statement::new(
    "resource_share.owned_deleted",
    "SELECT owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms, updated_ms, deleted_ms,
            contents, from_policy, promoted_ms
     FROM resource_share
     WHERE part = $1 AND owner = $2 AND region = $3 AND deleted_ms IS NOT NULL AND (created_ms, share_id) > ($4, $5)
       AND deleted_ms > $6
     ORDER BY created_ms, share_id LIMIT $7",
);
static OWNED_NAMED: Statement = Statement::new(
    "resource_share.owned_named",
    "SELECT owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms, updated_ms, deleted_ms,
            contents, from_policy, promoted_ms
     FROM resource_share
     WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4 AND (created_ms, share_id) > ($5, $6)
       AND (deleted_ms IS NULL OR deleted_ms > $7)
     ORDER BY created_ms, share_id LIMIT $8",
);
static OWNED_TAG_KEY: Statement = Statement::new(
    "resource_share.owned_tag_key",
    "SELECT s.owner, s.region, s.share_id, s.name, s.allow_external, s.retain_on_leave, s.tags, s.created_ms,
            s.updated_ms, s.deleted_ms, s.contents, s.from_policy, s.promoted_ms
     FROM resource_share_tag t
     JOIN resource_share s ON s.part = t.part AND s.share_id = t.share_id
     WHERE t.part = $1 AND t.owner = $2 AND t.region = $3 AND t.tag_key = $4
       AND (t.share_created_ms, t.share_id) > ($5, $6) AND (s.deleted_ms IS NULL OR s.deleted_ms > $7)
     ORDER BY t.share_created_ms, t.share_id LIMIT $8",
);
static OWNED_TAG_VALUE: Statement = Statement::new(
    "resource_share.owned_tag_value",
    "SELECT s.owner, s.region, s.share_id, s.name, s.allow_external, s.retain_on_leave, s.tags, s.created_ms,
            s.updated_ms, s.deleted_ms, s.contents, s.from_policy, s.promoted_ms
     FROM resource_share_tag t
     JOIN resource_share s ON s.part = t.part AND s.share_id = t.share_id
     WHERE t.part = $1 AND t.owner = $2 AND t.region = $3 AND t.tag_key = $4 AND t.tag_value = $5
       AND (t.share_created_ms, t.share_id) > ($6, $7) AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)
     ORDER BY t.share_created_ms, t.share_id LIMIT $9",
);
/// Shares of others that the receiver was granted, and that have settled: not those it was only invited to. Of several
/// associations of one receiver with a share, the first that was granted.
static RECEIVED: Statement = Statement::new(
    "resource_share.received",
    "SELECT s.owner, s.region, s.share_id, s.name, s.allow_external, s.retain_on_leave, s.tags, s.created_ms,
            s.updated_ms, s.deleted_ms, s.contents, s.from_policy, s.promoted_ms, a.since_ms, a.member
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.receiver = $1 AND a.region = $2 AND a.standing = 1
       AND (a.share_created_ms, a.share_id) > ($3, $4) AND a.since_ms <= $5 AND a.owner <> $6
       AND (s.deleted_ms IS NULL OR s.deleted_ms > $7)
     ORDER BY a.share_created_ms, a.share_id LIMIT $8",
);
static STORE: Statement = Statement::new(
    "resource_share.store",
    "INSERT INTO resource_share (part, owner, region, share_id, name, allow_external, retain_on_leave, tags, created_ms,
        updated_ms, deleted_ms, contents, untidy, from_policy, promoted_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     ON CONFLICT (part, owner, region, share_id)
     DO UPDATE SET name = excluded.name, allow_external = excluded.allow_external, tags = excluded.tags,
        updated_ms = excluded.updated_ms, deleted_ms = excluded.deleted_ms, contents = excluded.contents,
        untidy = excluded.untidy, from_policy = excluded.from_policy, promoted_ms = excluded.promoted_ms",
);
static STORE_TAG: Statement = Statement::new(
    "resource_share_tag.store",
    "INSERT INTO resource_share_tag (part, owner, region, share_id, tag_key, tag_value, share_created_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (part, owner, region, share_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
);
static DROP_TAG: Statement = Statement::new(
    "resource_share_tag.drop",
    "DELETE FROM resource_share_tag WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 AND tag_key = $5",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD,
    &OWNED,
    &OWNED_DELETED,
    &OWNED_NAMED,
    &OWNED_TAG_KEY,
    &OWNED_TAG_VALUE,
    &RECEIVED,
    &STORE,
    &STORE_TAG,
    &DROP_TAG,
];

/// After which share a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShareCursor {
    /// Creation time of the last one seen.
    pub created: TimestampMs,
    /// Its id.
    pub id: ShareId,
}

impl ShareCursor {
    /// Before the first.
    pub const START: Self = Self { created: TimestampMs(i64::MIN), id: ShareId(Uuid::nil()) };

    /// After `share`.
    pub fn after(share: &ResourceShare) -> Self {
        Self { created: share.created, id: share.id }
    }
}

/// Which of an account's shares are walked, each kind along an index of its own.
#[derive(Clone, Copy, Debug)]
pub enum ShareScope<'a> {
    /// All that it owns.
    Owned,
    /// Owned and deleted.
    Deleted,
    /// Owned, of exactly this name.
    Named(&'a str),
    /// Owned, with this tag key, whatever the value.
    TagKey(&'a str),
    /// Owned, with this tag.
    Tag(&'a str, &'a str),
}

/// A share of another account, and one of the associations by which a receiver sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedGrant {
    /// The share.
    pub share: ResourceShare,
    /// Since when the receiver has it by this.
    pub since: TimestampMs,
    /// The memberships that this rests on.
    pub basis: Option<Basis>,
    /// Whether the receiver is outside the owner's organization.
    pub is_external: bool,
}

impl Reader {
    /// The share of that ARN, deleted or not.
    pub async fn resource_share(&self, arn: ShareArn) -> Result<Option<ResourceShare>, StoreError> {
        let values = [
            self.part_of(arn.owner).into(),
            Value::Text(arn.owner.as_str()),
            Value::Text(arn.region.as_str()),
            Value::from(&arn.id.0),
        ];
        self.connection.query_opt(&LOAD, &values, read_share).await
    }

    /// A page of the grants by which `receiver` (an account, an organization or a unit) sees shares at `now`, those of
    /// `account` itself left out, oldest share first. A share may be in several rows.
    #[expect(clippy::too_many_arguments, reason = "the page of a list is all of these")]
    pub async fn received_grants(
        &self,
        receiver: &str,
        account: AccountId,
        region: Region,
        after: ShareCursor,
        now: TimestampMs,
        timing: &Timing,
        limit: u32,
    ) -> Result<Vec<ReceivedGrant>, StoreError> {
        let values = [
            Value::Text(receiver),
            Value::Text(region.as_str()),
            after.created.into(),
            Value::from(&after.id.0),
            now.saturating_sub_ms(timing.settle_delay_ms).into(),
            Value::Text(account.as_str()),
            now.saturating_sub_ms(timing.deleted_share_visible_ms).into(),
            limit.into(),
        ];
        self.connection.query(&RECEIVED, &values, read_received).await
    }

    /// A page of the shares in `scope` that `account` can see at `now`, oldest first.
    #[expect(clippy::too_many_arguments, reason = "the page of a list is all of these")]
    pub async fn shares(
        &self,
        scope: ShareScope<'_>,
        account: AccountId,
        region: Region,
        after: ShareCursor,
        now: TimestampMs,
        timing: &Timing,
        limit: u32,
    ) -> Result<Vec<ResourceShare>, StoreError> {
        let part = self.part_of(account);
        let (owner, home) = (Value::Text(account.as_str()), Value::Text(region.as_str()));
        let (created, id) = (Value::from(after.created), Value::from(&after.id.0));
        let deleted_since = Value::from(now.saturating_sub_ms(timing.deleted_share_visible_ms));
        let connection = &self.connection;
        match scope {
            ShareScope::Owned => {
                let values = [part.into(), owner, home, created, id, deleted_since, limit.into()];
                connection.query(&OWNED, &values, read_share).await
            }
            ShareScope::Deleted => {
                let values = [part.into(), owner, home, created, id, deleted_since, limit.into()];
                connection.query(&OWNED_DELETED, &values, read_share).await
            }
            ShareScope::Named(name) => {
                let values =
                    [part.into(), owner, home, name.into(), created, id, deleted_since, limit.into()];
                connection.query(&OWNED_NAMED, &values, read_share).await
            }
            ShareScope::TagKey(key) => {
                let values = [part.into(), owner, home, key.into(), created, id, deleted_since, limit.into()];
                connection.query(&OWNED_TAG_KEY, &values, read_share).await
            }
            ShareScope::Tag(key, value) => {
                let values = [
                    part.into(),
                    owner,
                    home,
                    key.into(),
                    value.into(),
                    created,
                    id,
                    deleted_since,
                    limit.into(),
                ];
                connection.query(&OWNED_TAG_VALUE, &values, read_share).await
            }
        }
    }
}

impl Transaction {
    pub(crate) async fn store_resource_share(&self, share: &ResourceShare) -> Result<(), StoreError> {
        let tags = to_json(&share.tags)?;
        let contents = to_json(&share.contents)?;
        // Deleted, and the ends of what it held are not written down yet.
        let untidy = share.deleted.is_some() && share.contents != Contents::default();
        let (from_policy, promoted) = match share.origin {
            Origin::Made => (None, None),
            Origin::Policy => (Some(true), None),
            Origin::Promoted { at } => (Some(false), Some(at)),
        };
        let values = [
            self.part().0.into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            Value::Text(&share.name),
            share.allow_external_principals.into(),
            share.retain_sharing_on_account_leave_organization.into(),
            Value::Text(&tags),
            share.created.into(),
            share.updated.into(),
            share.deleted.into(),
            Value::Text(&contents),
            untidy.into(),
            from_policy.into(),
            promoted.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn store_tags(
        &self,
        share: ShareArn,
        share_created: TimestampMs,
        added: &[Tag],
        removed: &[String],
    ) -> Result<(), StoreError> {
        let key: [Value<'_>; 4] = [
            self.part().0.into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
        ];
        for tag_key in removed {
            let values = [key[0], key[1], key[2], key[3], Value::Text(tag_key)];
            self.connection.execute(&DROP_TAG, &values).await?;
        }
        for tag in added {
            let (tag_key, tag_value) = (Value::Text(&tag.key), Value::Text(&tag.value));
            let values = [key[0], key[1], key[2], key[3], tag_key, tag_value, share_created.into()];
            self.connection.execute(&STORE_TAG, &values).await?;
        }
        Ok(())
    }
}

fn read_received(row: &Row<'_>) -> Result<ReceivedGrant, StoreError> {
    let (basis, is_external) = match row.json(14)? {
        Member::Principal { basis, external, .. } => (basis, external),
        Member::Resource { .. } | Member::Source { .. } => (None, false),
    };
    Ok(ReceivedGrant { share: read_share(row)?, since: row.time(13)?, basis, is_external })
}

/// Where it stands in the columns `from_policy` and, after it, `promoted_ms`.
pub(super) fn read_origin(row: &Row<'_>, column: usize) -> Result<Origin, StoreError> {
    Ok(match (row.opt_int(column)?, row.opt_time(column + 1)?) {
        (None, _) => Origin::Made,
        (Some(_), None) => Origin::Policy,
        (Some(_), Some(at)) => Origin::Promoted { at },
    })
}

pub(crate) fn read_share(row: &Row<'_>) -> Result<ResourceShare, StoreError> {
    Ok(ResourceShare {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        id: ShareId(row.uuid(2)?),
        name: row.text(3)?.to_owned(),
        allow_external_principals: row.flag(4)?,
        retain_sharing_on_account_leave_organization: row.flag(5)?,
        tags: row.json(6)?,
        created: row.time(7)?,
        updated: row.time(8)?,
        deleted: row.opt_time(9)?,
        contents: row.json(10)?,
        origin: read_origin(row, 11)?,
    })
}
