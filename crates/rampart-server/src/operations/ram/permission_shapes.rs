//! Permissions as they go on the wire. Versions are numbers in requests and text in answers (reference §1.4).

use rampart_core::catalog::ManagedPermission;
use rampart_core::permission::customer::{PermissionStatus, VersionHead};
use rampart_core::permission::parameters::Parameter;
use rampart_core::permission::replacement::{ReplaceWork, WorkState};
use rampart_core::permission::{CustomerPermission, PermissionName};
use rampart_core::resource_share::Tag;
use rampart_core::{AttachedPermission, TimestampMs};
use serde::Serialize;

use super::permissions::OwnPermissions;
use crate::app::{App, Call};

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
    /// AWS's permissions have none, and no owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_owner: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permission_template_parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
}

impl PermissionShape {
    /// A version of a permission of the catalog.
    // AWS: the default version is ATTACHABLE, every other UNATTACHABLE (reference §3.5).
    pub(super) fn of_managed(permission: &ManagedPermission, version: u32, call: &Call) -> Self {
        let default_version = version == permission.default_version();
        let status =
            if default_version { PermissionStatus::Attachable } else { PermissionStatus::Unattachable };
        Self {
            arn: PermissionName::Managed(permission.name.clone()).arn(call.account, call.region),
            version: version.to_string(),
            default_version,
            name: permission.name.clone(),
            resource_type: permission.resource_type.clone(),
            status: status.as_str(),
            creation_time: permission.created(),
            last_updated_time: permission.updated(),
            is_resource_type_default: permission.is_resource_type_default,
            permission_type: "AWS_MANAGED",
            feature_set: "STANDARD",
            tags: None,
            resource_owner: None,
            permission_template_parameters: Vec::new(),
            permission: None,
        }
    }

    /// A version of one of the caller's own.
    pub(super) fn of_own(
        permission: &CustomerPermission,
        version: &VersionHead,
        status: PermissionStatus,
    ) -> Self {
        Self {
            arn: permission.arn(),
            version: version.number.to_string(),
            default_version: version.number == permission.default.number,
            name: permission.name.clone(),
            resource_type: permission.resource_type.clone(),
            status: status.as_str(),
            creation_time: version.created,
            last_updated_time: version.updated,
            is_resource_type_default: false,
            permission_type: "CUSTOMER_MANAGED",
            feature_set: permission.feature_set.as_str(),
            tags: Some(permission.tags.clone()),
            resource_owner: Some("SELF"),
            permission_template_parameters: version.parameters.iter().cloned().map(Parameter::from).collect(),
            permission: None,
        }
    }

    /// A version of another account's: its tags are the owner's business.
    pub(super) fn of_other(
        permission: &CustomerPermission,
        version: &VersionHead,
        status: PermissionStatus,
    ) -> Self {
        let own = Self::of_own(permission, version, status);
        Self { tags: None, resource_owner: Some("OTHER-ACCOUNTS"), ..own }
    }

    /// The same with its text, where it is known.
    pub(super) fn with_text(self, text: Option<String>) -> Self {
        Self { permission: text, ..self }
    }

    /// A permission in a share of that feature set: its status is the association's (reference §3.6).
    pub(super) fn of_attached(
        row: &AttachedPermission,
        feature_set: &'static str,
        own: &OwnPermissions,
        app: &App,
        call: &Call,
    ) -> Self {
        let known = match &row.permission {
            PermissionName::Managed(name) => app.catalog.permission_named(name),
            PermissionName::Customer(_) => None,
        };
        let customer = own.of(row);
        let is_customer = matches!(row.permission, PermissionName::Customer(_));
        let owner = if row.owner == call.account { "SELF" } else { "OTHER-ACCOUNTS" };
        let created = customer.map(|own| own.created).or(known.map(ManagedPermission::created));
        Self {
            arn: row.permission_arn(),
            version: row.version.to_string(),
            default_version: own.is_default(row, app),
            name: row.permission.as_str().to_owned(),
            resource_type: row.resource_type.clone(),
            status: "ASSOCIATED",
            creation_time: created.unwrap_or(row.attached),
            last_updated_time: row.attached,
            is_resource_type_default: known.is_some_and(|known| known.is_resource_type_default),
            permission_type: if is_customer { "CUSTOMER_MANAGED" } else { "AWS_MANAGED" },
            feature_set,
            // The owner's tags are the owner's business.
            tags: customer.filter(|_| row.owner == call.account).map(|own| own.tags.clone()),
            resource_owner: is_customer.then_some(owner),
            permission_template_parameters: row.parameters.clone(),
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
    default_version: bool,
    resource_type: String,
    status: &'static str,
    feature_set: &'static str,
    last_updated_time: TimestampMs,
    resource_share_arn: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permission_template_parameters: Vec<Parameter>,
}

impl AssociatedPermissionShape {
    /// An association, in a share of that feature set.
    pub(super) fn new(
        row: &AttachedPermission,
        feature_set: &'static str,
        own: &OwnPermissions,
        app: &App,
    ) -> Self {
        Self {
            arn: row.permission_arn(),
            permission_version: row.version.to_string(),
            default_version: own.is_default(row, app),
            resource_type: row.resource_type.clone(),
            // AWS: the model is contradictory here; association values are the recommended choice (reference §3.6).
            status: "ASSOCIATED",
            feature_set,
            last_updated_time: row.attached,
            resource_share_arn: row.share_arn().to_string(),
            permission_template_parameters: row.parameters.clone(),
        }
    }
}

/// `ReplacePermissionAssociationsWork`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplaceWorkShape {
    id: String,
    from_permission_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_permission_version: Option<String>,
    to_permission_arn: String,
    to_permission_version: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permission_template_parameters: Vec<Parameter>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    creation_time: TimestampMs,
    last_updated_time: TimestampMs,
}

impl ReplaceWorkShape {
    pub(super) fn new(work: &ReplaceWork) -> Self {
        Self {
            id: work.id.to_string(),
            from_permission_arn: work.from.arn(work.owner, work.region),
            from_permission_version: work.from_version.map(|number| number.to_string()),
            to_permission_arn: work.to.arn(work.owner, work.region),
            to_permission_version: work.to_version.to_string(),
            permission_template_parameters: work.parameters.clone(),
            status: work.state.as_str(),
            status_message: match &work.state {
                WorkState::Failed { message } => Some(message.clone()),
                WorkState::InProgress { .. } | WorkState::Completed => None,
            },
            creation_time: work.created,
            last_updated_time: work.updated,
        }
    }
}
