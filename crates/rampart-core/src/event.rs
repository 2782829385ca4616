//! What happened, in the words of EventBridge's `Resource Sharing State Change` (reference §13). Recorded in the same
//! transaction as the change; delivered later. Who receives it (the owner, and the principals that have access) is
//! found out at delivery.

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::association::{Association, AssociationKind, AssociationStatus};
use crate::ids::{ShareArn, ShareId};
use crate::invitation::{Invitation, InvitationStatus};

/// One change of one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingEvent {
    /// When it became so.
    pub at: TimestampMs,
    /// The owner of the share.
    pub owner: AccountId,
    /// The share's Region.
    pub region: Region,
    /// The share.
    pub share: ShareId,
    /// What changed.
    pub subject: Subject,
    /// The state it changed to, in lower case.
    pub status: String,
    /// The entity of the association, or the account that was invited.
    pub entity: String,
    /// Who sees the share by it, when that is one account.
    pub receiver: Option<String>,
}

/// The `event` of the record's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// "Resource Share Association" of a principal.
    PrincipalAssociation,
    /// "Resource Share Association" of a resource.
    ResourceAssociation,
    /// "Resource Share Association" of a source.
    SourceAssociation,
    /// "Resource Share Invitation".
    Invitation,
}

impl SharingEvent {
    /// An association that came to `status`.
    pub fn of_association(association: &Association, status: AssociationStatus, at: TimestampMs) -> Self {
        Self {
            at,
            owner: association.owner,
            region: association.region,
            share: association.share,
            subject: match association.kind() {
                AssociationKind::Principal => Subject::PrincipalAssociation,
                AssociationKind::Resource => Subject::ResourceAssociation,
                AssociationKind::Source => Subject::SourceAssociation,
            },
            status: status.as_str().to_ascii_lowercase(),
            entity: association.entity.clone(),
            receiver: association.receiver().map(str::to_owned),
        }
    }

    /// An invitation that came to `status`.
    pub fn of_invitation(invitation: &Invitation, status: InvitationStatus, at: TimestampMs) -> Self {
        Self {
            at,
            owner: invitation.sender,
            region: invitation.region,
            share: invitation.share,
            subject: Subject::Invitation,
            status: status.as_str().to_ascii_lowercase(),
            entity: invitation.receiver.to_string(),
            receiver: Some(invitation.receiver.to_string()),
        }
    }

    /// The invitation that an association waited on, which expired.
    pub(crate) fn of_expiry(association: &Association, at: TimestampMs) -> Self {
        let receiver = association.receiver().map(str::to_owned);
        Self {
            at,
            owner: association.owner,
            region: association.region,
            share: association.share,
            subject: Subject::Invitation,
            status: InvitationStatus::Expired.as_str().to_ascii_lowercase(),
            entity: receiver.clone().unwrap_or_default(),
            receiver,
        }
    }

    /// The record as EventBridge would hand it to `account`.
    // AWS: no full sample is known; this envelope is the recommended choice (reference §13).
    pub fn envelope(&self, id: Uuid, account: AccountId) -> Value {
        let share = ShareArn { owner: self.owner, region: self.region, id: self.share }.to_string();
        let (event, kind) = match self.subject {
            Subject::PrincipalAssociation => ("Resource Share Association", Some("PRINCIPAL")),
            Subject::ResourceAssociation => ("Resource Share Association", Some("RESOURCE")),
            Subject::SourceAssociation => ("Resource Share Association", Some("SOURCE")),
            Subject::Invitation => ("Resource Share Invitation", None),
        };
        let mut detail = json!({
            "event": event,
            "status": self.status,
            "resourceShareArn": share,
            "associatedEntity": self.entity,
        });
        if let Some(kind) = kind {
            detail["associationType"] = kind.into();
        }
        json!({
            "version": "0",
            "id": id.hyphenated().to_string(),
            "detail-type": "Resource Sharing State Change",
            "source": "aws.ram",
            "account": account,
            "time": self.at.to_string(),
            "region": self.region,
            "resources": [share],
            "detail": detail,
        })
    }
}
