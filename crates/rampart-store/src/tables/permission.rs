//! `permission`, `permission_version` and `permission_usage`: customer managed permissions.

use futures_util::future::try_join;
use rampart_core::permission::customer::{FeatureSet, Usage};
use rampart_core::permission::{CustomerPermission, PermissionUsage, PermissionVersion};
use rampart_core::{AccountId, Region, TimestampMs};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value, to_json};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "permission.load",
    "SELECT owner, region, name, permission_id, resource_type, from_policy, deprecated, default_version, latest,
            versions, tags, created_ms, deleted_ms
     FROM permission WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4",
);
static OF_OWNER: Statement = Statement::new(
    "permission.of_owner",
    "SELECT owner, region, name, permission_id, resource_type, from_policy, deprecated, default_version, latest,
            versions, tags, created_ms, deleted_ms
     FROM permission
     WHERE part = $1 AND owner = $2 AND region = $3 AND (created_ms, permission_id) > ($4, $5)
       AND (deleted_ms IS NULL OR deleted_ms > $6)
     ORDER BY created_ms, permission_id LIMIT $7",
);
static OF_TYPE: Statement = Statement::new(
    "permission.of_type",
    "SELECT owner, region, name, permission_id, resource_type, from_policy, deprecated, default_version, latest,
            versions, tags, created_ms, deleted_ms
     FROM permission
     WHERE part = $1 AND owner = $2 AND region = $3 AND resource_type = $4 AND (created_ms, permission_id) > ($5, $6)
       AND (deleted_ms IS NULL OR deleted_ms > $7)
     ORDER BY created_ms, permission_id LIMIT $8",
);
static STORE: Statement = Statement::new(
    "permission.store",
    "INSERT INTO permission (part, owner, region, name, permission_id, resource_type, from_policy, deprecated,
                             default_version, latest, versions, tags, created_ms, deleted_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     ON CONFLICT (part, owner, region, name)
     DO UPDATE SET deprecated = excluded.deprecated, default_version = excluded.default_version,
        latest = excluded.latest, versions = excluded.versions, tags = excluded.tags, deleted_ms = excluded.deleted_ms",
);
static DROP: Statement = Statement::new(
    "permission.drop",
    "DELETE FROM permission WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4",
);
static DELETED: Statement = Statement::new(
    "permission.deleted",
    "SELECT owner, region, name, permission_id, resource_type, from_policy, deprecated, default_version, latest,
            versions, tags, created_ms, deleted_ms
     FROM permission WHERE deleted_ms IS NOT NULL AND deleted_ms <= $1 ORDER BY deleted_ms LIMIT $2",
);
static LOAD_VERSION: Statement = Statement::new(
    "permission_version.load",
    "SELECT owner, region, name, number, parameters, created_ms, updated_ms, template, deleted_ms
     FROM permission_version WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4 AND number = $5",
);
static VERSIONS: Statement = Statement::new(
    "permission_version.of_permission",
    "SELECT owner, region, name, number, parameters, created_ms, updated_ms, template, deleted_ms
     FROM permission_version
     WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4 AND number > $5
       AND (deleted_ms IS NULL OR deleted_ms > $6)
     ORDER BY number LIMIT $7",
);
static STORE_VERSION: Statement = Statement::new(
    "permission_version.store",
    "INSERT INTO permission_version (part, owner, region, name, number, parameters, created_ms, updated_ms, template,
                                     deleted_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (part, owner, region, name, number)
     DO UPDATE SET updated_ms = excluded.updated_ms, deleted_ms = excluded.deleted_ms",
);
static DROP_VERSION: Statement = Statement::new(
    "permission_version.drop",
    "DELETE FROM permission_version WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4 AND number = $5",
);
static DROP_VERSIONS: Statement = Statement::new(
    "permission_version.drop_all",
    "DELETE FROM permission_version WHERE part = $1 AND owner = $2 AND region = $3 AND name = $4",
);
static DELETED_VERSIONS: Statement = Statement::new(
    "permission_version.deleted",
    "SELECT owner, region, name, number, parameters, created_ms, updated_ms, template, deleted_ms
     FROM permission_version WHERE deleted_ms IS NOT NULL AND deleted_ms <= $1 ORDER BY deleted_ms LIMIT $2",
);
static LOAD_USAGE: Statement = Statement::new(
    "permission_usage.load",
    "SELECT owner, region, resource_type, permissions FROM permission_usage
     WHERE part = $1 AND owner = $2 AND region = $3 AND resource_type = $4",
);
static STORE_USAGE: Statement = Statement::new(
    "permission_usage.store",
    "INSERT INTO permission_usage (part, owner, region, resource_type, permissions) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (part, owner, region, resource_type) DO UPDATE SET permissions = excluded.permissions",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD,
    &OF_OWNER,
    &OF_TYPE,
    &STORE,
    &DROP,
    &DELETED,
    &LOAD_VERSION,
    &VERSIONS,
    &STORE_VERSION,
    &DROP_VERSION,
    &DROP_VERSIONS,
    &DELETED_VERSIONS,
    &LOAD_USAGE,
    &STORE_USAGE,
];

/// How `resource_type` of `permission_usage` spells "of all types".
const ALL_TYPES: &str = "";

/// After which permission a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermissionCursor {
    /// Creation time of the last one seen.
    pub created: TimestampMs,
    /// Its id.
    pub id: Uuid,
}

impl PermissionCursor {
    /// Before the first.
    pub const START: Self = Self { created: TimestampMs(i64::MIN), id: Uuid::nil() };

    /// After `permission`.
    pub fn after(permission: &CustomerPermission) -> Self {
        Self { created: permission.created, id: permission.id }
    }
}

impl Reader {
    /// The permission of that name that an account has in a Region, deleted or not.
    pub async fn permission(
        &self,
        owner: AccountId,
        region: Region,
        name: &str,
    ) -> Result<Option<CustomerPermission>, StoreError> {
        let values = self.key(&owner, &region, name);
        self.connection.query_opt(&LOAD, &values, read_permission).await
    }

    /// One version of a permission, deleted or not.
    pub async fn permission_version(
        &self,
        owner: AccountId,
        region: Region,
        name: &str,
        number: i64,
    ) -> Result<Option<PermissionVersion>, StoreError> {
        let [part, owner, region, name] = self.key(&owner, &region, name);
        let values = [part, owner, region, name, Value::Int(number)];
        self.connection.query_opt(&LOAD_VERSION, &values, read_version).await
    }

    /// A page of the versions of a permission, by number. Those deleted up to `deleted_until` are left out.
    pub async fn permission_versions(
        &self,
        permission: &CustomerPermission,
        after: i64,
        deleted_until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<PermissionVersion>, StoreError> {
        let [part, owner, region, name] = self.key(&permission.owner, &permission.region, &permission.name);
        let values = [part, owner, region, name, Value::Int(after), deleted_until.into(), limit.into()];
        self.connection.query(&VERSIONS, &values, read_version).await
    }

    /// A page of the permissions that an account has in a Region, of one type if it is named, oldest first. Those deleted
    /// up to `deleted_until` are left out.
    pub async fn permissions_of(
        &self,
        owner: AccountId,
        region: Region,
        resource_type: Option<&str>,
        after: PermissionCursor,
        deleted_until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<CustomerPermission>, StoreError> {
        let part = self.part_of(owner).into();
        let (who, home) = (Value::Text(owner.as_str()), Value::Text(region.as_str()));
        let (created, id) = (Value::from(after.created), Value::from(&after.id));
        match resource_type {
            None => {
                let values = [part, who, home, created, id, deleted_until.into(), limit.into()];
                self.connection.query(&OF_OWNER, &values, read_permission).await
            }
            Some(name) => {
                let values = [part, who, home, name.into(), created, id, deleted_until.into(), limit.into()];
                self.connection.query(&OF_TYPE, &values, read_permission).await
            }
        }
    }

    /// How many permissions count against the quotas: of all types, and of one.
    pub async fn permission_use(
        &self,
        owner: AccountId,
        region: Region,
        resource_type: &str,
    ) -> Result<Usage, StoreError> {
        let load = async |resource_type: &str| {
            let values = self.key(&owner, &region, resource_type);
            let none =
                || PermissionUsage { owner, region, resource_type: resource_type.to_owned(), permissions: 0 };
            Ok(self.connection.query_opt(&LOAD_USAGE, &values, read_usage).await?.unwrap_or_else(none))
        };
        let (all, of_type) = try_join(load(ALL_TYPES), load(resource_type)).await?;
        Ok(Usage { all, of_type })
    }

    /// Permissions that were deleted up to `until`.
    pub async fn deleted_permissions(
        &self,
        until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<CustomerPermission>, StoreError> {
        self.connection.query(&DELETED, &[until.into(), limit.into()], read_permission).await
    }

    /// Versions that were deleted up to `until`.
    pub async fn deleted_permission_versions(
        &self,
        until: TimestampMs,
        limit: u32,
    ) -> Result<Vec<PermissionVersion>, StoreError> {
        self.connection.query(&DELETED_VERSIONS, &[until.into(), limit.into()], read_version).await
    }

    fn key<'a>(&self, owner: &'a AccountId, region: &'a Region, last: &'a str) -> [Value<'a>; 4] {
        [
            self.part_of(*owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::Text(last),
        ]
    }
}

impl Transaction {
    pub(crate) async fn store_permission(&self, permission: &CustomerPermission) -> Result<(), StoreError> {
        let (default, tags) = (to_json(&permission.default)?, to_json(&permission.tags)?);
        let values = [
            self.part().0.into(),
            Value::Text(permission.owner.as_str()),
            Value::Text(permission.region.as_str()),
            Value::Text(&permission.name),
            Value::from(&permission.id),
            Value::Text(&permission.resource_type),
            (permission.feature_set == FeatureSet::CreatedFromPolicy).into(),
            permission.deprecated.into(),
            Value::Text(&default),
            permission.latest.into(),
            permission.versions.into(),
            Value::Text(&tags),
            permission.created.into(),
            permission.deleted.into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn store_permission_version(
        &self,
        version: &PermissionVersion,
    ) -> Result<(), StoreError> {
        let parameters = to_json(&version.head.parameters)?;
        let values = [
            self.part().0.into(),
            Value::Text(version.owner.as_str()),
            Value::Text(version.region.as_str()),
            Value::Text(&version.name),
            version.head.number.into(),
            Value::Text(&parameters),
            version.head.created.into(),
            version.head.updated.into(),
            Value::Text(&version.template),
            version.deleted.into(),
        ];
        self.connection.execute(&STORE_VERSION, &values).await.map(drop)
    }

    pub(crate) async fn store_permission_usage(&self, usage: &PermissionUsage) -> Result<(), StoreError> {
        let [part, owner, region, resource_type] =
            self.key(&usage.owner, &usage.region, &usage.resource_type);
        let values = [part, owner, region, resource_type, usage.permissions.into()];
        self.connection.execute(&STORE_USAGE, &values).await.map(drop)
    }

    pub(crate) async fn purge_permission(
        &self,
        owner: AccountId,
        region: Region,
        name: &str,
    ) -> Result<(), StoreError> {
        let values = self.key(&owner, &region, name);
        let versions = self.connection.execute(&DROP_VERSIONS, &values);
        try_join(versions, self.connection.execute(&DROP, &values)).await.map(drop)
    }

    pub(crate) async fn purge_permission_version(
        &self,
        owner: AccountId,
        region: Region,
        name: &str,
        number: u32,
    ) -> Result<(), StoreError> {
        let [part, owner, region, name] = self.key(&owner, &region, name);
        self.connection.execute(&DROP_VERSION, &[part, owner, region, name, number.into()]).await.map(drop)
    }
}

pub(crate) fn read_permission(row: &Row<'_>) -> Result<CustomerPermission, StoreError> {
    Ok(CustomerPermission {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        name: row.text(2)?.to_owned(),
        id: row.uuid(3)?,
        resource_type: row.text(4)?.to_owned(),
        feature_set: if row.flag(5)? { FeatureSet::CreatedFromPolicy } else { FeatureSet::Standard },
        deprecated: row.flag(6)?,
        default: row.json(7)?,
        latest: row.small(8)?,
        versions: row.small(9)?,
        tags: row.json(10)?,
        created: row.time(11)?,
        deleted: row.opt_time(12)?,
    })
}

pub(crate) fn read_version(row: &Row<'_>) -> Result<PermissionVersion, StoreError> {
    Ok(PermissionVersion {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        name: row.text(2)?.to_owned(),
        head: rampart_core::permission::customer::VersionHead {
            number: row.small(3)?,
            parameters: row.json(4)?,
            created: row.time(5)?,
            updated: row.time(6)?,
        },
        template: row.text(7)?.to_owned(),
        deleted: row.opt_time(8)?,
    })
}

pub(crate) fn read_usage(row: &Row<'_>) -> Result<PermissionUsage, StoreError> {
    Ok(PermissionUsage {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        resource_type: row.text(2)?.to_owned(),
        permissions: row.small(3)?,
    })
}
