//! The model's records as they go on the wire. Absent members are left out, timestamps are epoch seconds.

use rampart_core::associate::Outcome;
use rampart_core::catalog::RegionScope;
use rampart_core::resource_share::Tag;
use rampart_core::{AssociationStatus, Invitation, ResourceShare, TimestampMs, Timing};
use rampart_store::AssociationInShare;
use serde::Serialize;

use crate::app::{App, Call};

/// `ResourceShare`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceShareShape {
    resource_share_arn: String,
    name: String,
    owning_account_id: String,
    allow_external_principals: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    creation_time: TimestampMs,
    last_updated_time: TimestampMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_set: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_share_configuration: Option<ConfigurationShape>,
}

/// `ResourceShareConfiguration`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigurationShape {
    retain_sharing_on_account_leave_organization: bool,
}

/// Who looks at a share, which decides what is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The answer to a call that made or changed it: no feature set, no tags (reference §3.2, §10.1).
    Written,
    /// The owner reads it.
    Owner,
    /// A consumer reads it: the owner's tags stay the owner's (reference §6.2, inferred).
    Consumer,
}

impl ResourceShareShape {
    /// `None` when the share has vanished by `now`.
    pub(super) fn new(share: &ResourceShare, view: View, now: TimestampMs, timing: &Timing) -> Option<Self> {
        let status = share.status(now, timing)?;
        let configuration = share
            .retain_sharing_on_account_leave_organization
            .then_some(ConfigurationShape { retain_sharing_on_account_leave_organization: true });
        Some(Self {
            resource_share_arn: share.arn().to_string(),
            name: share.name.clone(),
            owning_account_id: share.owner.to_string(),
            allow_external_principals: share.allow_external_principals,
            status: status.as_str(),
            tags: (view == View::Owner).then(|| share.tags.clone()),
            creation_time: share.created,
            last_updated_time: share.updated,
            feature_set: (view != View::Written).then(|| share.origin.feature_set(now, timing)),
            resource_share_configuration: configuration,
        })
    }
}

/// `ResourceShareAssociation`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssociationShape {
    resource_share_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_share_name: Option<String>,
    associated_entity: String,
    association_type: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_time: Option<TimestampMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated_time: Option<TimestampMs>,
    external: bool,
}

impl AssociationShape {
    /// In the answer to a call that changes it: no name and no times (reference §10.5).
    pub(super) fn of_outcome(outcome: &Outcome) -> Self {
        let row = &outcome.association;
        Self {
            resource_share_arn: row.share_arn().to_string(),
            resource_share_name: None,
            associated_entity: row.entity.clone(),
            association_type: row.kind().as_str(),
            status: outcome.status.as_str(),
            creation_time: None,
            last_updated_time: None,
            external: row.is_external(),
        }
    }

    /// In a list.
    pub(super) fn of_row(row: &AssociationInShare, now: TimestampMs, timing: &Timing) -> Self {
        let association = &row.association;
        let (status, since) = association.status(row.share_deleted, now, timing);
        Self {
            resource_share_arn: association.share_arn().to_string(),
            resource_share_name: Some(row.share_name.clone()),
            associated_entity: association.entity.clone(),
            association_type: association.kind().as_str(),
            status: status.as_str(),
            creation_time: Some(association.created),
            last_updated_time: Some(since),
            external: association.is_external(),
        }
    }
}

/// `ResourceShareInvitation`. Its deprecated list of associations stays empty, as AWS leaves it (reference §5.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationShape {
    resource_share_invitation_arn: String,
    resource_share_name: String,
    resource_share_arn: String,
    sender_account_id: String,
    receiver_account_id: String,
    invitation_timestamp: TimestampMs,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_arn: Option<String>,
}

impl InvitationShape {
    pub(crate) fn new(invitation: &Invitation, share_name: &str, now: TimestampMs) -> Self {
        let share = rampart_core::ShareArn {
            owner: invitation.sender,
            region: invitation.region,
            id: invitation.share,
        };
        Self {
            resource_share_invitation_arn: invitation.arn().to_string(),
            resource_share_name: share_name.to_owned(),
            resource_share_arn: share.to_string(),
            sender_account_id: invitation.sender.to_string(),
            receiver_account_id: invitation.receiver.to_string(),
            invitation_timestamp: invitation.timestamp(now),
            status: invitation.status(now).as_str(),
            receiver_arn: invitation.receiver_arn.clone(),
        }
    }
}

/// `Resource`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceShape {
    arn: String,
    r#type: String,
    resource_share_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    creation_time: TimestampMs,
    last_updated_time: TimestampMs,
    resource_region_scope: &'static str,
}

impl ResourceShape {
    /// The resource of a row that has not ended. The owner sees no status, a consumer sees AVAILABLE once the resource is
    /// effective: rampart owns no resources, so it knows of nothing that makes one unavailable.
    // AWS: PENDING until the association has settled (reference §3.8, inferred).
    pub(super) fn of_row(row: &AssociationInShare, consumer: bool, app: &App, call: &Call) -> Option<Self> {
        let association = &row.association;
        let resource_type = association.resource_type()?;
        let (settled, since) = association.status(row.share_deleted, call.now, app.timing());
        let status = if settled == AssociationStatus::Associating { "PENDING" } else { "AVAILABLE" };
        Some(Self {
            arn: association.entity.clone(),
            r#type: resource_type.to_owned(),
            resource_share_arn: association.share_arn().to_string(),
            status: consumer.then_some(status),
            creation_time: association.created,
            last_updated_time: since,
            resource_region_scope: scope_of(app, resource_type).as_str(),
        })
    }
}

/// Where resources of a type live. A type that has left the catalog counts as regional.
pub(super) fn scope_of(app: &App, resource_type: &str) -> RegionScope {
    app.catalog.type_named(resource_type).map_or(RegionScope::Regional, |entry| entry.region_scope)
}
