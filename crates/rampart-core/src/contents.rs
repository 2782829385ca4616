//! What a share holds, kept in its row so that no operation counts rows.

use serde::{Deserialize, Serialize};

use crate::TimestampMs;
use crate::association::{Association, AssociationKind, Member, PrincipalKind};
use crate::ids::AssociationId;

/// Kept counts of a share's associations that have not ended, and of its invitations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contents {
    /// Resources.
    pub resources: u32,
    /// Of these, resources of types whose invitations last twelve hours and which cannot be left.
    pub short_invitation_resources: u32,
    /// Of these, resources of types that may not be shared with IAM roles and users.
    pub resources_not_for_identities: u32,
    /// Of these, resources of types that may not be shared with service principals.
    pub resources_not_for_services: u32,
    /// Of these, resources of types that may not be shared outside the organization.
    pub resources_not_for_outsiders: u32,
    /// Principals.
    pub principals: u32,
    /// Of these, those outside the organization.
    pub outsiders: u32,
    /// Of these, IAM roles and users.
    pub identities: u32,
    /// Of these, service principals.
    pub services: u32,
    /// Sources.
    pub sources: u32,
    /// Invitations that wait for an answer, and those that expired and were not tidied yet.
    pub pending_invitations: u32,
    /// Of a deleted share: up to which association it was recorded that they ended with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_through: Option<EndedThrough>,
}

/// A place among the associations of a share, by kind and then by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedThrough {
    /// What the entity is to the share.
    pub kind: AssociationKind,
    /// When it was associated.
    pub created: TimestampMs,
    /// Tells those of one moment apart.
    pub id: AssociationId,
}

impl EndedThrough {
    /// The place of `association`.
    pub fn of(association: &Association) -> Self {
        Self { kind: association.kind(), created: association.created, id: association.id }
    }
}

/// What a share holds once an association has ended.
pub fn without(contents: &Contents, association: &Association) -> Contents {
    let mut rest = *contents;
    rest.remove(association);
    rest
}

impl Contents {
    /// How many of a kind it holds.
    pub fn count_of(&self, kind: AssociationKind) -> u32 {
        match kind {
            AssociationKind::Principal => self.principals,
            AssociationKind::Resource => self.resources,
            AssociationKind::Source => self.sources,
        }
    }

    /// Counts an association in.
    pub(crate) fn add(&mut self, association: &Association) {
        self.count(association, |n| n + 1);
    }

    /// Counts an association out.
    pub(crate) fn remove(&mut self, association: &Association) {
        self.count(association, |n| n.saturating_sub(1));
    }

    fn count(&mut self, association: &Association, step: impl Fn(u32) -> u32) {
        let step_if = |condition: bool, n: &mut u32| {
            if condition {
                *n = step(*n);
            }
        };
        match &association.member {
            Member::Principal { principal, external, .. } => {
                step_if(*external, &mut self.outsiders);
                step_if(true, &mut self.principals);
                step_if(*principal == PrincipalKind::Identity, &mut self.identities);
                step_if(*principal == PrincipalKind::Service, &mut self.services);
            }
            Member::Resource { short_invitation, for_identities, for_services, for_outsiders, .. } => {
                step_if(!for_outsiders, &mut self.resources_not_for_outsiders);
                step_if(true, &mut self.resources);
                step_if(*short_invitation, &mut self.short_invitation_resources);
                step_if(!for_identities, &mut self.resources_not_for_identities);
                step_if(!for_services, &mut self.resources_not_for_services);
            }
            Member::Source { .. } => step_if(true, &mut self.sources),
        }
    }
}
