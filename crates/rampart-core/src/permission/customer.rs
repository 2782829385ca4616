//! Customer managed permissions: what is kept of them, and what their statuses are; [`decisions`] says how they change
//! (reference §7.3–§7.6).

mod decisions;

pub use decisions::{
    NewPermission, NewTemplate, Usage, WithVersion, check_permission_name, check_template, decide_create,
    decide_create_version, decide_delete, decide_delete_version, decide_set_default, decide_tag,
    decide_untag, decide_update, purge,
};
use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use rampart_policy::Template;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PermissionName;
use super::parameters::{Declaration, Values, render};
use crate::refusal::PermissionRefusal;
use crate::resource_share::Tag;
use crate::{Refusal, Timing};

/// Where a permission comes from (reference §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeatureSet {
    /// Made with CreatePermission, or promoted.
    Standard,
    /// Made by RAM of a resource's own policy.
    CreatedFromPolicy,
}

impl FeatureSet {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::CreatedFromPolicy => "CREATED_FROM_POLICY",
        }
    }
}

/// The `status` of a version of a permission (reference §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own terms")]
pub enum PermissionStatus {
    Attachable,
    Unattachable,
    Deprecated,
    Deleting,
    Deleted,
}

impl PermissionStatus {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attachable => "ATTACHABLE",
            Self::Unattachable => "UNATTACHABLE",
            Self::Deprecated => "DEPRECATED",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }
}

/// One row of `permission`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerPermission {
    /// Who made it.
    pub owner: AccountId,
    /// Where: it exists in this Region alone.
    pub region: Region,
    /// 1–36 characters, unique for its owner and Region.
    pub name: String,
    /// Orders permissions of one moment. No part of the ARN.
    pub id: Uuid,
    /// `service:Type`.
    pub resource_type: String,
    /// Where it comes from.
    pub feature_set: FeatureSet,
    /// Whether it gets no new associations.
    pub deprecated: bool,
    /// The version that can be attached.
    pub default: VersionHead,
    /// The highest number given; numbers are not used again (reference §7.5).
    pub latest: u32,
    /// Versions that are not deleted.
    pub versions: u32,
    /// The owner's tags, common to all versions, ordered by key.
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created: TimestampMs,
    /// When DeletePermission was acknowledged.
    pub deleted: Option<TimestampMs>,
}

/// What lists tell of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionHead {
    /// From one.
    pub number: u32,
    /// What its template declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Declaration>,
    /// When it was made.
    pub created: TimestampMs,
    /// When its status last changed.
    pub updated: TimestampMs,
}

/// One row of `permission_version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionVersion {
    /// The permission's owner.
    pub owner: AccountId,
    /// The permission's Region.
    pub region: Region,
    /// The permission's name.
    pub name: String,
    /// Its number and times.
    pub head: VersionHead,
    /// The text as it was given, white space and all (reference §7.3).
    pub template: String,
    /// When DeletePermissionVersion was acknowledged.
    pub deleted: Option<TimestampMs>,
}

impl PermissionVersion {
    /// The text with values in the place of its parameters.
    pub fn render(&self, values: &Values) -> Result<String, Refusal> {
        let template = Template::parse(&self.template).map_err(PermissionRefusal::Template)?;
        render(&template, &self.head.parameters, values)
    }
}

/// One row of `permission_usage`: how many customer managed permissions count against a quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionUsage {
    /// Whose.
    pub owner: AccountId,
    /// Where.
    pub region: Region,
    /// Of which type; of all types when empty.
    pub resource_type: String,
    /// Those that are neither deleted nor deprecated.
    pub permissions: u32,
}

impl CustomerPermission {
    /// Its ARN; all versions have the same.
    pub fn arn(&self) -> String {
        PermissionName::Customer(self.name.clone()).arn(self.owner, self.region)
    }

    /// Its status, which is its default version's. `None` when it is past its retention.
    pub fn status(&self, now: TimestampMs, timing: &Timing) -> Option<PermissionStatus> {
        match self.deleted {
            Some(deleted) => deleted_status(deleted, now, timing),
            None if self.deprecated => Some(PermissionStatus::Deprecated),
            None => Some(PermissionStatus::Attachable),
        }
    }

    /// The status of one of its versions (reference §3.5).
    pub fn status_of(
        &self,
        version: &PermissionVersion,
        now: TimestampMs,
        timing: &Timing,
    ) -> Option<PermissionStatus> {
        let status = self.status(now, timing)?;
        match version.deleted {
            Some(deleted) if self.deleted.is_none() => deleted_status(deleted, now, timing),
            None if status == PermissionStatus::Attachable && version.head.number != self.default.number => {
                Some(PermissionStatus::Unattachable)
            }
            _ => Some(status),
        }
    }

    /// It, if its owner can still change it.
    // AWS: a deleted permission is unknown to all but the lists; one made of a policy is RAM's (reference §7.7).
    pub fn check_changeable(&self) -> Result<(), Refusal> {
        if self.deleted.is_some() {
            return Err(Refusal::PermissionNotFound { arn: self.arn() });
        }
        if self.feature_set == FeatureSet::CreatedFromPolicy {
            return Err(PermissionRefusal::FromPolicy { name: self.name.clone() }.into());
        }
        Ok(())
    }
}

fn deleted_status(deleted: TimestampMs, now: TimestampMs, timing: &Timing) -> Option<PermissionStatus> {
    let age_ms = now.0.saturating_sub(deleted.0);
    if age_ms < timing.settle_delay_ms {
        return Some(PermissionStatus::Deleting);
    }
    (age_ms < timing.deleted_permission_visible_ms).then_some(PermissionStatus::Deleted)
}

/// What DeletePermission and DeletePermissionVersion answer: AWS says that the work has begun (reference §7.5).
pub const DELETE_ACKNOWLEDGED: PermissionStatus = PermissionStatus::Deleting;
