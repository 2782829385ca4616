//! `share_permission`: what each share allows, one row for each type of resource.

use rampart_core::permission::{AttachedPermission, PermissionName};
use rampart_core::{AccountId, Region, ShareArn, ShareId, TimestampMs};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static OF_SHARE: Statement = Statement::new(
    "share_permission.of_share",
    "SELECT owner, region, share_id, resource_type, permission, version, attached_ms, attachment_id
     FROM share_permission WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4
     ORDER BY part, owner, region, share_id, resource_type LIMIT 1000",
);
/// Of shares that are not deleted.
static OF_OWNER: Statement = Statement::new(
    "share_permission.of_owner",
    "SELECT p.owner, p.region, p.share_id, p.resource_type, p.permission, p.version, p.attached_ms, p.attachment_id
     FROM share_permission p
     JOIN resource_share s ON s.part = p.part AND s.share_id = p.share_id
     WHERE p.part = $1 AND p.owner = $2 AND p.region = $3 AND (p.attached_ms, p.attachment_id) > ($4, $5)
       AND s.deleted_ms IS NULL
     ORDER BY p.attached_ms, p.attachment_id LIMIT $6",
);
static OF_PERMISSION: Statement = Statement::new(
    "share_permission.of_permission",
    "SELECT p.owner, p.region, p.share_id, p.resource_type, p.permission, p.version, p.attached_ms, p.attachment_id
     FROM share_permission p
     JOIN resource_share s ON s.part = p.part AND s.share_id = p.share_id
     WHERE p.part = $1 AND p.owner = $2 AND p.region = $3 AND p.permission = $4
       AND (p.attached_ms, p.attachment_id) > ($5, $6) AND s.deleted_ms IS NULL
     ORDER BY p.attached_ms, p.attachment_id LIMIT $7",
);
static STORE: Statement = Statement::new(
    "share_permission.store",
    "INSERT INTO share_permission (part, owner, region, share_id, resource_type, permission, version, attached_ms,
                                   attachment_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (part, owner, region, share_id, resource_type)
     DO UPDATE SET permission = excluded.permission, version = excluded.version, attached_ms = excluded.attached_ms",
);
static DROP: Statement = Statement::new(
    "share_permission.drop",
    "DELETE FROM share_permission
     WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 AND resource_type = $5",
);
pub(crate) static DROP_ALL: Statement = Statement::new(
    "share_permission.drop_all",
    "DELETE FROM share_permission WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4",
);

pub(crate) static STATEMENTS: &[&Statement] =
    &[&OF_SHARE, &OF_OWNER, &OF_PERMISSION, &STORE, &DROP, &DROP_ALL];

/// After which attachment a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttachmentCursor {
    /// Time of attachment of the last one seen.
    pub attached: TimestampMs,
    /// Orders attachments of the same millisecond.
    pub id: Uuid,
}

impl AttachmentCursor {
    /// Before the first.
    pub const START: Self = Self { attached: TimestampMs(i64::MIN), id: Uuid::nil() };

    /// After `row`.
    pub fn after(row: &AttachedPermission) -> Self {
        Self { attached: row.attached, id: attachment_id(row.share, &row.resource_type) }
    }
}

/// One for each share and type: the share's id, mixed with the type's name (FNV-1a).
fn attachment_id(share: ShareId, resource_type: &str) -> Uuid {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let hash = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
    Uuid::from_u128(resource_type.bytes().fold(share.0.as_u128(), hash))
}

impl Reader {
    /// What a share allows, ordered by type.
    pub async fn share_permissions(&self, share: ShareArn) -> Result<Vec<AttachedPermission>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
        ];
        self.connection.query(&OF_SHARE, &values, read_attached).await
    }

    /// A page of what an owner's shares allow, of one permission if it is named, oldest attachment first.
    pub async fn attached_permissions(
        &self,
        owner: AccountId,
        region: Region,
        permission: Option<&str>,
        after: AttachmentCursor,
        limit: u32,
    ) -> Result<Vec<AttachedPermission>, StoreError> {
        let part = self.part_of(owner);
        let (who, home) = (Value::Text(owner.as_str()), Value::Text(region.as_str()));
        let (attached, id) = (Value::from(after.attached), Value::from(&after.id));
        match permission {
            None => {
                let values = [part.into(), who, home, attached, id, limit.into()];
                self.connection.query(&OF_OWNER, &values, read_attached).await
            }
            Some(permission) => {
                let values = [part.into(), who, home, permission.into(), attached, id, limit.into()];
                self.connection.query(&OF_PERMISSION, &values, read_attached).await
            }
        }
    }
}

impl Transaction {
    pub(crate) async fn attach_permission(&self, row: &AttachedPermission) -> Result<(), StoreError> {
        let id = attachment_id(row.share, &row.resource_type);
        let values = [
            self.part().0.into(),
            Value::Text(row.owner.as_str()),
            Value::Text(row.region.as_str()),
            Value::from(&row.share.0),
            Value::Text(&row.resource_type),
            Value::Text(&row.permission.0),
            row.version.into(),
            row.attached.into(),
            Value::from(&id),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn detach_permission(
        &self,
        share: ShareArn,
        resource_type: &str,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            Value::Text(resource_type),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }
}

fn read_attached(row: &Row<'_>) -> Result<AttachedPermission, StoreError> {
    Ok(AttachedPermission {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        share: ShareId(row.uuid(2)?),
        resource_type: row.text(3)?.to_owned(),
        permission: PermissionName(row.text(4)?.to_owned()),
        version: row.small(5)?,
        attached: row.time(6)?,
    })
}
