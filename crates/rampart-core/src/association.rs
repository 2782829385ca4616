//! An association: a principal or a resource in a share, and what becomes of it (reference §3.3).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::ids::{AssociationId, InvitationId, ShareArn, ShareId};
use crate::organization::Basis;
use crate::source::SourceType;
use crate::timing::{Timing, after};

/// What an association ties to its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssociationKind {
    /// With whom it is shared.
    Principal,
    /// What is shared.
    Resource,
    /// From where a service principal may call.
    Source,
}

impl AssociationKind {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "PRINCIPAL",
            Self::Resource => "RESOURCE",
            Self::Source => "SOURCE",
        }
    }
}

/// One row of `association`. There is one per (share, kind, entity): associating again resets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Association {
    /// The share's owner.
    pub owner: AccountId,
    /// The share's Region.
    pub region: Region,
    /// The share.
    pub share: ShareId,
    /// When the share was made: the order in which consumers see shares.
    pub share_created: TimestampMs,
    /// Orders associations of the same millisecond.
    pub id: AssociationId,
    /// The entity, exactly as the caller wrote it.
    pub entity: String,
    /// What the entity is.
    pub member: Member,
    /// When it was associated (again).
    pub created: TimestampMs,
    /// Where it stands.
    pub standing: Standing,
}

/// What the entity of an association is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Member {
    /// With whom it is shared.
    Principal {
        /// What kind of principal.
        principal: PrincipalKind,
        /// Who sees the share by it: an account, an organization or a unit, by its id. Nobody does by a service
        /// principal.
        receiver: Option<String>,
        /// Whether it is outside the owner's organization.
        external: bool,
        /// The memberships that it rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<Basis>,
    },
    /// What is shared.
    Resource {
        /// `service:Type`.
        resource_type: String,
        /// Whether its type makes invitations short and forbids leaving.
        short_invitation: bool,
        /// Whether its type may be shared with IAM roles and users.
        for_identities: bool,
        /// Whether its type may be shared with service principals.
        for_services: bool,
        /// Whether its type may be shared outside the organization.
        #[serde(default = "yes")]
        for_outsiders: bool,
    },
    /// From where a service principal may call.
    Source {
        /// What its text is.
        source_type: SourceType,
    },
}

/// Kinds of principals that differ in what may be shared with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// An account.
    Account,
    /// An IAM role or user.
    Identity,
    /// A service principal.
    Service,
    /// The owner's organization.
    Organization,
    /// A unit of it.
    OrganizationalUnit,
}

/// Rows of before there were organizations hold types that may.
fn yes() -> bool {
    true
}

/// Where an association stands. What is visible follows from this, the share and `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// Waits for the answer to an invitation.
    Invited {
        /// Which one.
        invitation: InvitationId,
        /// When it expires, and this association ends.
        deadline: TimestampMs,
    },
    /// Effective.
    Granted {
        /// Since when.
        at: TimestampMs,
        /// The invitation that was accepted for it; none when none was needed.
        invitation: Option<InvitationId>,
    },
    /// Over: disassociated, left or rejected.
    Ended {
        /// Since when.
        at: TimestampMs,
    },
}

/// The `status` of an association on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own terms")]
pub enum AssociationStatus {
    Associating,
    Associated,
    Disassociating,
    Disassociated,
}

impl AssociationStatus {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Associating => "ASSOCIATING",
            Self::Associated => "ASSOCIATED",
            Self::Disassociating => "DISASSOCIATING",
            Self::Disassociated => "DISASSOCIATED",
        }
    }
}

impl Member {
    /// What it is to the share.
    pub fn kind(&self) -> AssociationKind {
        match self {
            Self::Principal { .. } => AssociationKind::Principal,
            Self::Resource { .. } => AssociationKind::Resource,
            Self::Source { .. } => AssociationKind::Source,
        }
    }
}

impl Association {
    /// What the entity is to the share.
    pub fn kind(&self) -> AssociationKind {
        self.member.kind()
    }

    /// The type of a resource.
    pub fn resource_type(&self) -> Option<&str> {
        match &self.member {
            Member::Resource { resource_type, .. } => Some(resource_type),
            Member::Principal { .. } | Member::Source { .. } => None,
        }
    }

    /// The invitation that it stands on.
    pub fn invitation(&self) -> Option<InvitationId> {
        match self.standing {
            Standing::Invited { invitation, .. } => Some(invitation),
            Standing::Granted { invitation, .. } => invitation,
            Standing::Ended { .. } => None,
        }
    }

    /// The ARN of its share.
    pub fn share_arn(&self) -> ShareArn {
        ShareArn { owner: self.owner, region: self.region, id: self.share }
    }

    /// Who sees the share by it; nobody by a resource.
    pub fn receiver(&self) -> Option<&str> {
        match &self.member {
            Member::Principal { receiver, .. } => receiver.as_deref(),
            Member::Resource { .. } | Member::Source { .. } => None,
        }
    }

    /// Always false for resources (reference §6.3).
    pub fn is_external(&self) -> bool {
        matches!(self.member, Member::Principal { external: true, .. })
    }

    /// Whether it has ended by itself, whatever became of its share.
    pub fn has_ended(&self, now: TimestampMs) -> bool {
        self.ended_at(now).is_some()
    }

    /// The status at `now` and since when it is so. `share_deleted` ends all of a share's associations at once.
    pub fn status(
        &self,
        share_deleted: Option<TimestampMs>,
        now: TimestampMs,
        timing: &Timing,
    ) -> (AssociationStatus, TimestampMs) {
        if let Some(end) = self.ended_at(now).into_iter().chain(share_deleted).min() {
            let settled = after(end, timing.settle_delay_ms);
            return if now < settled {
                (AssociationStatus::Disassociating, end)
            } else {
                (AssociationStatus::Disassociated, settled)
            };
        }
        match self.standing {
            Standing::Granted { at, .. } if now >= after(at, timing.settle_delay_ms) => {
                (AssociationStatus::Associated, after(at, timing.settle_delay_ms))
            }
            _ => (AssociationStatus::Associating, self.created),
        }
    }

    /// Whether the row can still be seen at `now`.
    // AWS: how long DISASSOCIATED rows stay is unknown; two hours as for shares (reference §3.3, inferred).
    pub fn is_visible(&self, now: TimestampMs, timing: &Timing) -> bool {
        self.ended_at(now).is_none_or(|end| now < after(end, timing.ended_association_visible_ms))
    }

    fn ended_at(&self, now: TimestampMs) -> Option<TimestampMs> {
        match self.standing {
            Standing::Ended { at } => Some(at),
            Standing::Invited { deadline, .. } if now >= deadline => Some(deadline),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{CONSUMER, GATEWAY, World, at};
    use crate::timing::HOUR_MS;

    #[test]
    fn a_settle_delay_shifts_what_reads_say() {
        let timing = Timing { settle_delay_ms: 700, ..Timing::default() };
        let mut world = World::new();
        world.associate(&[GATEWAY], &[], at(0)).unwrap();
        let mut row = world.row(AssociationKind::Resource, GATEWAY).unwrap();
        assert_eq!(row.status(None, at(699), &timing), (AssociationStatus::Associating, at(0)));
        assert_eq!(row.status(None, at(700), &timing), (AssociationStatus::Associated, at(700)));
        row.standing = Standing::Ended { at: at(1000) };
        assert_eq!(row.status(None, at(1699), &timing), (AssociationStatus::Disassociating, at(1000)));
        assert_eq!(row.status(None, at(1700), &timing), (AssociationStatus::Disassociated, at(1700)));
        // What expired says the same before and after somebody wrote it down.
        let (invitation, deadline) = (InvitationId(uuid::Uuid::nil()), at(1000));
        row.standing = Standing::Invited { invitation, deadline };
        assert_eq!(row.status(None, at(1699), &timing), (AssociationStatus::Disassociating, at(1000)));
        assert_eq!(row.status(None, at(1700), &timing), (AssociationStatus::Disassociated, at(1700)));
    }

    #[test]
    fn a_deleted_share_ends_all_that_has_not_ended_before() {
        let timing = Timing::default();
        let mut world = World::new();
        world.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        let mut row = world.row(AssociationKind::Resource, GATEWAY).unwrap();
        assert_eq!(row.status(Some(at(50)), at(50), &timing), (AssociationStatus::Disassociated, at(50)));
        let waiting = world.principal(CONSUMER);
        assert_eq!(waiting.status(Some(at(50)), at(50), &timing), (AssociationStatus::Disassociated, at(50)));
        row.standing = Standing::Ended { at: at(20) };
        assert_eq!(row.status(Some(at(50)), at(60), &timing), (AssociationStatus::Disassociated, at(20)));
        assert!(row.is_visible(at(20 + 2 * HOUR_MS - 1), &timing));
    }
}
