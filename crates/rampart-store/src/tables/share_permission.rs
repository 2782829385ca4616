//! `share_permission`: what each share allows, one row for each type of resource.

use rampart_core::permission::{AttachedPermission, PermissionName};
use rampart_core::resource_share::Origin;
use rampart_core::{AccountId, Region, ShareArn, ShareId, TimestampMs};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value, to_json};
use crate::store::Reader;
use crate::tables::resource_share::read_origin;
use crate::{StoreError, Transaction};

static OF_SHARE: Statement = Statement::new(
    "share_permission.of_share",
    "SELECT owner, region, share_id, resource_type, permission, version, attached_ms, permission_id, parameters
     FROM share_permission WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4
     ORDER BY part, owner, region, share_id, resource_type LIMIT 1000",
);
/// Of shares that are not deleted.
static OF_OWNER: Statement = Statement::new(
    "share_permission.of_owner",
    "SELECT p.owner, p.region, p.share_id, p.resource_type, p.permission, p.version, p.attached_ms, p.permission_id,
            p.parameters, s.from_policy, s.promoted_ms
     FROM share_permission p
     JOIN resource_share s ON s.part = p.part AND s.share_id = p.share_id
     WHERE p.part = $1 AND p.owner = $2 AND p.region = $3 AND (p.attached_ms, p.attachment_id) > ($4, $5)
       AND s.deleted_ms IS NULL
     ORDER BY p.attached_ms, p.attachment_id LIMIT $6",
);
static OF_PERMISSION: Statement = Statement::new(
    "share_permission.of_permission",
    "SELECT p.owner, p.region, p.share_id, p.resource_type, p.permission, p.version, p.attached_ms, p.permission_id,
            p.parameters, s.from_policy, s.promoted_ms
     FROM share_permission p
     JOIN resource_share s ON s.part = p.part AND s.share_id = p.share_id
     WHERE p.part = $1 AND p.owner = $2 AND p.region = $3 AND p.permission = $4
       AND (p.attached_ms, p.attachment_id) > ($5, $6) AND s.deleted_ms IS NULL
     ORDER BY p.attached_ms, p.attachment_id LIMIT $7",
);
static OF_VERSION: Statement = Statement::new(
    "share_permission.of_version",
    "SELECT p.owner, p.region, p.share_id, p.resource_type, p.permission, p.version, p.attached_ms, p.permission_id,
            p.parameters, s.from_policy, s.promoted_ms
     FROM share_permission p
     JOIN resource_share s ON s.part = p.part AND s.share_id = p.share_id
     WHERE p.part = $1 AND p.owner = $2 AND p.region = $3 AND p.permission = $4 AND p.version = $5
       AND (p.attached_ms, p.attachment_id) > ($6, $7) AND s.deleted_ms IS NULL
     ORDER BY p.attached_ms, p.attachment_id LIMIT $8",
);
static STORE: Statement = Statement::new(
    "share_permission.store",
    "INSERT INTO share_permission (part, owner, region, share_id, resource_type, permission, version, attached_ms,
                                   attachment_id, parameters, permission_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (part, owner, region, share_id, resource_type)
     DO UPDATE SET permission = excluded.permission, version = excluded.version, attached_ms = excluded.attached_ms,
        parameters = excluded.parameters, permission_id = excluded.permission_id",
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
    &[&OF_SHARE, &OF_OWNER, &OF_PERMISSION, &OF_VERSION, &STORE, &DROP, &DROP_ALL];

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

/// What a share allows, with what the share is.
#[derive(Clone, Debug)]
pub struct AttachedInShare {
    /// The row.
    pub attached: AttachedPermission,
    /// How its share came to be.
    pub origin: Origin,
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

    /// A page of what an owner's shares allow, oldest attachment first: of one permission if it is named, or of one of
    /// its versions. Deleted shares are left out.
    pub async fn attached_permissions(
        &self,
        owner: AccountId,
        region: Region,
        permission: Option<(&PermissionName, Option<i64>)>,
        after: AttachmentCursor,
        limit: u32,
    ) -> Result<Vec<AttachedInShare>, StoreError> {
        let part = self.part_of(owner);
        let (who, home) = (Value::Text(owner.as_str()), Value::Text(region.as_str()));
        let (attached, id) = (Value::from(after.attached), Value::from(&after.id));
        let Some((name, version)) = permission else {
            let values = [part.into(), who, home, attached, id, limit.into()];
            return self.connection.query(&OF_OWNER, &values, read_in_share).await;
        };
        let name = String::from(name.clone());
        let name = Value::Text(&name);
        match version {
            None => {
                let values = [part.into(), who, home, name, attached, id, limit.into()];
                self.connection.query(&OF_PERMISSION, &values, read_in_share).await
            }
            Some(version) => {
                let values = [part.into(), who, home, name, Value::Int(version), attached, id, limit.into()];
                self.connection.query(&OF_VERSION, &values, read_in_share).await
            }
        }
    }

    /// Whether a share that is not deleted has a permission, or a version of it.
    pub async fn is_attached(
        &self,
        owner: AccountId,
        region: Region,
        permission: &PermissionName,
        version: Option<i64>,
    ) -> Result<bool, StoreError> {
        let of = Some((permission, version));
        Ok(!self.attached_permissions(owner, region, of, AttachmentCursor::START, 1).await?.is_empty())
    }
}

impl Transaction {
    pub(crate) async fn attach_permission(&self, row: &AttachedPermission) -> Result<(), StoreError> {
        let id = attachment_id(row.share, &row.resource_type);
        let permission = String::from(row.permission.clone());
        let parameters = (!row.parameters.is_empty()).then(|| to_json(&row.parameters)).transpose()?;
        let values = [
            self.part().0.into(),
            Value::Text(row.owner.as_str()),
            Value::Text(row.region.as_str()),
            Value::from(&row.share.0),
            Value::Text(&row.resource_type),
            Value::Text(&permission),
            row.version.into(),
            row.attached.into(),
            Value::from(&id),
            parameters.as_deref().into(),
            row.permission_id.as_ref().into(),
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

pub(crate) fn read_attached(row: &Row<'_>) -> Result<AttachedPermission, StoreError> {
    Ok(AttachedPermission {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        share: ShareId(row.uuid(2)?),
        resource_type: row.text(3)?.to_owned(),
        permission: row.text(4)?.to_owned().into(),
        version: row.small(5)?,
        parameters: row.opt_text(8)?.map_or(Ok(Vec::new()), |_| row.json(8))?,
        attached: row.time(6)?,
        permission_id: row.opt_uuid(7)?,
    })
}

fn read_in_share(row: &Row<'_>) -> Result<AttachedInShare, StoreError> {
    Ok(AttachedInShare { attached: read_attached(row)?, origin: read_origin(row, 9)? })
}
