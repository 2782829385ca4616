//! Putting principals and resources into a share (reference §4.1, §5.2, §10.1, §10.5).

use std::collections::HashMap;

use rampart_aws::timestamp::TimestampMs;
use uuid::Uuid;

use crate::association::{Association, AssociationKind, AssociationStatus, Member, Standing};
use crate::ids::{AssociationId, InvitationId};
use crate::invitation::{Invitation, deadline, shortens_invitation};
use crate::limits::{PRINCIPALS_PER_CALL_MAX, RESOURCES_PER_CALL_MAX};
use crate::resource::Resource;
use crate::resource_share::{Contents, ResourceShare, check_active};
use crate::timing::Timing;
use crate::{Change, Decision, Principal, Refusal};

/// The entities of one call, recognised and without repetitions.
#[derive(Debug, Default)]
pub struct Entities<'c, 'a> {
    /// To be shared.
    pub resources: Vec<Resource<'c, 'a>>,
    /// To be shared with.
    pub principals: Vec<Principal>,
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The row as it is now.
    pub association: Association,
    /// The status to report: a new association says ASSOCIATING, whatever later reads will say.
    pub status: AssociationStatus,
}

/// Checks how many entities one call brings.
// AWS: 100 resources in a call; the same bound for principals is inferred (reference §9).
pub fn check_call_size(resources: usize, principals: usize) -> Result<(), Refusal> {
    if resources > RESOURCES_PER_CALL_MAX {
        return Err(Refusal::TooManyResources { resources });
    }
    if principals > PRINCIPALS_PER_CALL_MAX {
        return Err(Refusal::TooManyPrincipals { principals });
    }
    Ok(())
}

/// Associates `entities` with `share`. `existing` are the rows that the share already has for any of them; `ids`
/// gives a fresh random id at each call.
///
/// The changes begin with the share itself, whose kept counts change with its contents.
pub fn decide_associate(
    share: &ResourceShare,
    entities: &Entities<'_, '_>,
    existing: Vec<Association>,
    now: TimestampMs,
    timing: &Timing,
    ids: &mut dyn FnMut() -> Uuid,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    check_active(share)?;
    check_reach(share, entities)?;
    let mut known: HashMap<(AssociationKind, String), Association> =
        existing.into_iter().map(|row| ((row.kind(), row.entity.clone()), row)).collect();
    let mut contents = share.contents;
    let mut changes = Vec::new();
    let mut outcomes = Vec::new();

    // Resources first: what the share holds decides how long its invitations last.
    for (entity, member) in wanted(share, entities) {
        let kind = kind_of(&member);
        let before = known.remove(&(kind, entity.clone()));
        if let Some(row) = before.as_ref().filter(|row| !row.has_ended(now)) {
            // AWS: associating what is associated is no error (reference §3.3).
            let (status, _) = row.status(None, now, timing);
            outcomes.push(Outcome { association: row.clone(), status });
            continue;
        }
        if let Some(expired) = before.as_ref().filter(|row| !matches!(row.standing, Standing::Ended { .. })) {
            contents.remove(expired);
        }
        let (association, invitation) = new_association(share, entity, member, &contents, now, ids);
        contents.add(&association);
        changes.push(Change::AssociationStored(association.clone()));
        changes.extend(invitation.map(Change::InvitationStored));
        outcomes.push(Outcome { association, status: AssociationStatus::Associating });
    }
    contents.check()?;
    if contents != share.contents {
        changes.insert(0, Change::ShareStored(ResourceShare { contents, ..share.clone() }));
    }
    Ok(Decision { changes, reply: outcomes })
}

/// Whether the share may reach these principals with these resources. Organizations are unknown here: every account
/// stands alone.
// AWS: the code depends on the cause: the share's setting, or the resource's type (reference §4.2).
fn check_reach(share: &ResourceShare, entities: &Entities<'_, '_>) -> Result<(), Refusal> {
    let nothing_named = entities.resources.is_empty() && entities.principals.is_empty();
    if !share.allow_external_principals && !nothing_named {
        return Err(Refusal::SharingOnlyInsideOrganization);
    }
    for resource in &entities.resources {
        if !resource.resource_type.can_share_externally {
            let resource_type = resource.resource_type.name.clone();
            return Err(Refusal::ResourceTypeOnlyInsideOrganization { resource_type });
        }
    }
    for principal in &entities.principals {
        match principal {
            Principal::Account(_) | Principal::Identity { .. } => {}
            Principal::Organization { id, .. } => {
                return Err(Refusal::OrganizationNotFound { id: id.clone() });
            }
            Principal::OrganizationalUnit { id, .. } => {
                return Err(Refusal::OrganizationalUnitNotFound { id: id.clone() });
            }
            Principal::Service(name) => {
                return Err(Refusal::PrincipalKindUnsupported { principal: name.clone() });
            }
        }
    }
    Ok(())
}

fn wanted(share: &ResourceShare, entities: &Entities<'_, '_>) -> Vec<(String, Member)> {
    let resources = entities.resources.iter().map(|resource| {
        let member = Member::Resource {
            resource_type: resource.resource_type.name.clone(),
            short_invitation: shortens_invitation(resource.resource_type),
            for_identities: resource.resource_type.can_share_with_iam_principals,
        };
        (resource.arn.to_owned(), member)
    });
    let principals = entities.principals.iter().filter_map(|principal| {
        let (receiver, identity) = match principal {
            Principal::Account(account) => (*account, false),
            Principal::Identity { account, .. } => (*account, true),
            _ => return None,
        };
        // AWS: the owner's own account is inside; any other is outside as long as no organization says else (§6.3).
        let member =
            Member::Principal { receiver: receiver.to_string(), identity, external: receiver != share.owner };
        Some((principal.as_str().to_owned(), member))
    });
    resources.chain(principals).collect()
}

fn kind_of(member: &Member) -> AssociationKind {
    match member {
        Member::Principal { .. } => AssociationKind::Principal,
        Member::Resource { .. } => AssociationKind::Resource,
    }
}

fn new_association(
    share: &ResourceShare,
    entity: String,
    member: Member,
    contents: &Contents,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> Uuid,
) -> (Association, Option<Invitation>) {
    let mut association = Association {
        owner: share.owner,
        region: share.region,
        share: share.id,
        share_created: share.created,
        id: AssociationId(ids()),
        entity,
        member,
        created: now,
        standing: Standing::Granted { at: now, invitation: None },
    };
    let invitation = invite(share, &association, contents, now, ids);
    if let Some(invitation) = &invitation {
        association.standing = Standing::Invited { invitation: invitation.id, deadline: invitation.deadline };
    }
    (association, invitation)
}

/// The invitation that an account other than the owner's needs.
fn invite(
    share: &ResourceShare,
    association: &Association,
    contents: &Contents,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> Uuid,
) -> Option<Invitation> {
    let Member::Principal { receiver, identity, .. } = &association.member else {
        return None;
    };
    let receiver = receiver.parse().ok().filter(|account| *account != share.owner)?;
    Some(Invitation {
        sender: share.owner,
        region: share.region,
        id: InvitationId(ids()),
        share: share.id,
        receiver,
        receiver_arn: identity.then(|| association.entity.clone()),
        created: now,
        deadline: deadline(now, contents.short_invitation_resources > 0),
        answer: None,
    })
}

impl Contents {
    /// Counts an association in.
    pub(crate) fn add(&mut self, association: &Association) {
        self.count(association, |n| n + 1);
    }

    /// Counts an association out.
    pub(crate) fn remove(&mut self, association: &Association) {
        self.count(association, |n| n.saturating_sub(1));
    }

    fn count(&mut self, association: &Association, step: impl Fn(u32) -> u32) {
        match &association.member {
            Member::Principal { identity, .. } => {
                self.principals = step(self.principals);
                if *identity {
                    self.identities = step(self.identities);
                }
            }
            Member::Resource { short_invitation, for_identities, .. } => {
                self.resources = step(self.resources);
                if *short_invitation {
                    self.short_invitation_resources = step(self.short_invitation_resources);
                }
                if !for_identities {
                    self.resources_not_for_identities = step(self.resources_not_for_identities);
                }
            }
        }
    }

    /// What may not be together in one share.
    // AWS: whether a type can be shared with IAM roles and users is a column of the catalog (reference §4.5).
    fn check(&self) -> Result<(), Refusal> {
        if self.identities > 0 && self.resources_not_for_identities > 0 {
            return Err(Refusal::ResourceTypeNotForIdentities);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{COMPONENT, CONSUMER, GATEWAY, OWNER, World, at, share};
    use crate::invitation::{LONG_WINDOW_MS, SHORT_WINDOW_MS};

    const MESH: &str = "arn:aws:appmesh:eu-west-1:111111111111:mesh/m";
    const ROLE: &str = "arn:aws:iam::222222222222:role/Reader";

    #[test]
    fn a_new_association_says_associating_and_a_resource_is_associated_from_then_on() {
        let mut world = World::new();
        let outcomes = world.associate(&[GATEWAY], &[], at(5)).unwrap();
        assert_eq!(outcomes[0].status, AssociationStatus::Associating);
        let (status, since) = outcomes[0].association.status(None, at(5), &Timing::default());
        assert_eq!((status, since), (AssociationStatus::Associated, at(5)));
    }

    #[test]
    fn another_account_is_invited_and_the_owner_is_not() {
        let mut world = World::new();
        world.associate(&[], &[CONSUMER, OWNER], at(0)).unwrap();
        assert_eq!(world.invitations.len(), 1);
        assert_eq!(world.invitations[0].receiver.as_str(), CONSUMER);
        assert!(matches!(world.principal(CONSUMER).standing, Standing::Invited { .. }));
        assert!(world.principal(CONSUMER).is_external());
        assert!(matches!(world.principal(OWNER).standing, Standing::Granted { .. }));
        assert!(!world.principal(OWNER).is_external());
    }

    #[test]
    fn a_role_is_invited_through_its_account() {
        let mut world = World::new();
        world.associate(&[], &[ROLE], at(0)).unwrap();
        assert_eq!(world.invitations[0].receiver.as_str(), CONSUMER);
        assert_eq!(world.invitations[0].receiver_arn.as_deref(), Some(ROLE));
    }

    // AWS: 12 hours if any type of the newer generation is in the share, else 7 days (reference §5.1).
    #[test]
    fn what_the_share_holds_decides_how_long_the_invitation_lasts() {
        for (resources, window_ms) in [
            (vec![], LONG_WINDOW_MS),
            (vec![GATEWAY], LONG_WINDOW_MS),
            (vec![COMPONENT], SHORT_WINDOW_MS),
            (vec![GATEWAY, COMPONENT], SHORT_WINDOW_MS),
        ] {
            let mut world = World::new();
            world.associate(&resources, &[CONSUMER], at(7)).unwrap();
            assert_eq!(world.invitations[0].deadline, at(7 + window_ms), "{resources:?}");
        }
    }

    #[test]
    fn the_deadline_stays_when_resources_come_later() {
        let mut world = World::new();
        world.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        world.associate(&[COMPONENT], &[], at(1)).unwrap();
        assert_eq!(world.invitations[0].deadline, at(LONG_WINDOW_MS));
    }

    // AWS: associating what is associated is no error (reference §3.3).
    #[test]
    fn associating_again_changes_nothing() {
        let mut world = World::new();
        world.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        let (rows, contents) = (world.associations.clone(), world.share.contents);
        let outcomes = world.associate(&[GATEWAY], &[CONSUMER], at(9)).unwrap();
        assert_eq!(outcomes[0].status, AssociationStatus::Associated);
        assert_eq!(outcomes[1].status, AssociationStatus::Associating);
        assert_eq!((world.associations, world.share.contents), (rows, contents));
        assert_eq!(world.invitations.len(), 1);
    }

    #[test]
    fn an_expired_principal_is_invited_anew_and_counted_once() {
        let mut world = World::new();
        world.associate(&[COMPONENT], &[CONSUMER], at(0)).unwrap();
        world.associate(&[], &[CONSUMER], at(SHORT_WINDOW_MS)).unwrap();
        assert_eq!(world.invitations.len(), 2);
        assert_eq!(world.principal(CONSUMER).created, at(SHORT_WINDOW_MS));
        assert_eq!(world.share.contents.principals, 1);
    }

    #[test]
    fn contents_are_counted() {
        let mut world = World::new();
        world.associate(&[GATEWAY, COMPONENT], &[CONSUMER], at(0)).unwrap();
        let contents = world.share.contents;
        assert_eq!((contents.resources, contents.short_invitation_resources, contents.principals), (2, 1, 1));
        assert_eq!((contents.resources_not_for_identities, contents.identities), (1, 0));
    }

    #[test]
    fn types_that_are_not_for_identities_do_not_meet_them() {
        let mut world = World::new();
        world.associate(&[MESH], &[ROLE], at(0)).unwrap();
        assert_eq!(world.associate(&[GATEWAY], &[], at(1)), Err(Refusal::ResourceTypeNotForIdentities));
        let mut world = World::new();
        world.associate(&[GATEWAY], &[], at(0)).unwrap();
        assert_eq!(world.associate(&[], &[ROLE], at(1)), Err(Refusal::ResourceTypeNotForIdentities));
    }

    // AWS: the two causes have one text and two codes (reference §4.2).
    #[test]
    fn without_an_organization_nothing_is_shared_inside_it() {
        let mut world = World::of(ResourceShare { allow_external_principals: false, ..share() });
        for (resources, principals) in [(vec![GATEWAY], vec![]), (vec![], vec![CONSUMER])] {
            let refused = world.associate(&resources, &principals, at(0));
            assert_eq!(refused, Err(Refusal::SharingOnlyInsideOrganization));
        }
        let subnet = "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-0123456789abcdef0";
        let refused = World::new().associate(&[subnet], &[], at(0));
        assert!(matches!(refused, Err(Refusal::ResourceTypeOnlyInsideOrganization { .. })));
    }

    #[test]
    fn organizations_are_unknown_here() {
        let organization = "arn:aws:organizations::111111111111:organization/o-abcdefghij";
        let refused = World::new().associate(&[], &[organization], at(0));
        assert_eq!(refused, Err(Refusal::OrganizationNotFound { id: "o-abcdefghij".to_owned() }));
    }

    #[test]
    fn a_deleted_share_takes_nothing() {
        let mut world = World::of(ResourceShare { deleted: Some(at(1)), ..share() });
        assert!(matches!(world.associate(&[GATEWAY], &[], at(2)), Err(Refusal::ShareDeleted { .. })));
    }

    #[test]
    fn a_call_names_a_hundred_entities_at_the_most() {
        assert_eq!(check_call_size(100, 100), Ok(()));
        assert_eq!(check_call_size(101, 0), Err(Refusal::TooManyResources { resources: 101 }));
        assert_eq!(check_call_size(0, 101), Err(Refusal::TooManyPrincipals { principals: 101 }));
    }
}
