//! Permissions as they go on the wire. Versions are numbers in requests and text in answers (reference §1.4).

use rampart_core::catalog::ManagedPermission;
use rampart_core::permission::PermissionName;
use rampart_core::{AttachedPermission, Partition, TimestampMs};
use serde::Serialize;

use crate::app::App;

/// `ResourceSharePermissionSummary`; with the text of the version it is `ResourceSharePermissionDetail`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PermissionShape {
    arn: String,
    version: String,
    default_version: bool,
    name: String,
    resource_type: String,
    status: &'static str,
    creation_time: TimestampMs,
    last_updated_time: TimestampMs,
    is_resource_type_default: bool,
    permission_type: &'static str,
    feature_set: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
}

impl PermissionShape {
    /// A version of a permission.
    // AWS: the default version is ATTACHABLE, every other UNATTACHABLE (reference §3.5).
    pub(super) fn of_version(permission: &ManagedPermission, version: u32, partition: Partition) -> Self {
        let default_version = version == permission.default_version();
        Self {
            arn: PermissionName(permission.name.clone()).arn(partition),
            version: version.to_string(),
            default_version,
            name: permission.name.clone(),
            resource_type: permission.resource_type.clone(),
            status: if default_version { "ATTACHABLE" } else { "UNATTACHABLE" },
            creation_time: permission.created(),
            last_updated_time: permission.updated(),
            is_resource_type_default: permission.is_resource_type_default,
            permission_type: "AWS_MANAGED",
            feature_set: "STANDARD",
            permission: None,
        }
    }

    /// The same with its text, where the catalog knows it.
    pub(super) fn with_text(permission: &ManagedPermission, version: u32, partition: Partition) -> Self {
        let text = permission.policy_template(version);
        Self { permission: text, ..Self::of_version(permission, version, partition) }
    }

    /// A permission in a share: its status is the association's (reference §3.6).
    pub(super) fn of_attached(row: &AttachedPermission, app: &App) -> Self {
        let known = app.catalog.permission_named(&row.permission.0);
        Self {
            arn: row.permission.arn(row.region.partition()),
            version: row.version.to_string(),
            default_version: known.is_some_and(|known| known.default_version() == row.version),
            name: row.permission.0.clone(),
            resource_type: row.resource_type.clone(),
            status: "ASSOCIATED",
            creation_time: known.map_or(row.attached, ManagedPermission::created),
            last_updated_time: row.attached,
            is_resource_type_default: known.is_some_and(|known| known.is_resource_type_default),
            permission_type: "AWS_MANAGED",
            feature_set: "STANDARD",
            permission: None,
        }
    }
}

/// `AssociatedPermission`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssociatedPermissionShape {
    arn: String,
    permission_version: String,
    pub(super) default_version: bool,
    resource_type: String,
    status: &'static str,
    feature_set: &'static str,
    last_updated_time: TimestampMs,
    resource_share_arn: String,
}

impl AssociatedPermissionShape {
    pub(super) fn new(row: &AttachedPermission, app: &App) -> Self {
        let known = app.catalog.permission_named(&row.permission.0);
        Self {
            arn: row.permission.arn(row.region.partition()),
            permission_version: row.version.to_string(),
            default_version: known.is_some_and(|known| known.default_version() == row.version),
            resource_type: row.resource_type.clone(),
            // AWS: the model is contradictory here; association values are the recommended choice (reference §3.6).
            status: "ASSOCIATED",
            feature_set: "STANDARD",
            last_updated_time: row.attached,
            resource_share_arn: row.share_arn().to_string(),
        }
    }
}
