//! Putting principals, resources and sources into a share (reference §4.1, §4.4, §5.2, §10.1, §10.5).

use std::collections::HashMap;

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use uuid::Uuid;

use crate::association::{Association, AssociationKind, AssociationStatus, Member, PrincipalKind, Standing};
use crate::catalog::ResourceType;
use crate::contents::Contents;
use crate::event::SharingEvent;
use crate::ids::{AssociationId, InvitationId};
use crate::invitation::{Invitation, InvitationStatus, deadline, shortens_invitation};
use crate::limits::{PRINCIPALS_PER_CALL_MAX, RESOURCES_PER_CALL_MAX};
use crate::organization::Circle;
use crate::organization::circle::lasts;
use crate::quota::{OwnerUsage, Quotas};
use crate::resource::Resource;
use crate::resource_share::{ResourceShare, check_active};
use crate::source::SourceType;
use crate::timing::{Timing, after};
use crate::{Change, Decision, Principal, Refusal};

/// The entities of one call, recognised and without repetitions.
#[derive(Debug, Default)]
pub struct Entities<'c, 'a> {
    /// To be shared.
    pub resources: Vec<Resource<'c, 'a>>,
    /// To be shared with.
    pub principals: Vec<Principal>,
    /// From where service principals may call.
    pub sources: Vec<(&'a str, SourceType)>,
}

impl Entities<'_, '_> {
    /// The types of the resources.
    pub fn resource_types(&self) -> Vec<&str> {
        self.resources.iter().map(|resource| resource.resource_type.name.as_str()).collect()
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.principals.is_empty() && self.sources.is_empty()
    }
}

/// One line of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The row as it is now.
    pub association: Association,
    /// The status to report: a new association says ASSOCIATING, whatever later reads will say.
    pub status: AssociationStatus,
}

/// What is known when entities are put into a share.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// What the owner uses of its quotas.
    pub usage: OwnerUsage,
    /// The quotas.
    pub quotas: &'a Quotas,
    /// Delays and retentions.
    pub timing: &'a Timing,
    /// Within what the owner shares without inviting.
    pub circle: Option<&'a Circle>,
}

/// Checks how many entities one call brings.
// AWS: 100 resources in a call; the same bound for principals and sources is inferred (reference §9).
pub fn check_call_size(resources: usize, principals: usize, sources: usize) -> Result<(), Refusal> {
    if resources > RESOURCES_PER_CALL_MAX {
        return Err(Refusal::TooManyResources { resources });
    }
    let principals = principals.max(sources);
    if principals > PRINCIPALS_PER_CALL_MAX {
        return Err(Refusal::TooManyPrincipals { principals });
    }
    Ok(())
}

/// Associates `entities` with `share`. `existing` are the share's rows for any of the entities, and all its rows for
/// the accounts that the principals are in; `ids` gives a fresh random id at each call.
///
/// The changes begin with the share itself, whose kept counts change with its contents.
pub fn decide_associate(
    share: &ResourceShare,
    entities: &Entities<'_, '_>,
    existing: Vec<Association>,
    ledger: Ledger<'_>,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> Uuid,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    check_active(share)?;
    // AWS: a share that is retained treats the organization's accounts as external ones (reference §4.1).
    let circle = ledger.circle.filter(|_| !share.retain_sharing_on_account_leave_organization);
    check_reach(share, entities, ledger.circle)?;
    let mut table = Table::new(share, existing, now, ledger.circle);
    let mut outcomes = Vec::new();
    // Resources first: what the share holds decides how long its invitations last.
    for (entity, member) in wanted(share, entities, circle)? {
        outcomes.push(table.seat(entity, member, ledger.timing, ids));
    }
    if table.share.contents.services > 0 && table.share.contents.sources == 0 {
        // AWS: aws:SourceAccount is filled in when none was given; the owner's account is inferred (reference §4.4).
        let member = Member::Source { source_type: SourceType::Account };
        table.seat(share.owner.to_string(), member, ledger.timing, ids);
    }
    let (before, after) = (&share.contents, &table.share.contents);
    check_company(before, after)?;
    let usage = ledger.usage.moved(before, after);
    usage.check_growth(&ledger.usage, (before, after), ledger.quotas)?;
    let mut changes = Vec::new();
    if before != after {
        changes.push(Change::ShareStored(table.share));
        changes.push(Change::UsageStored(usage));
    }
    changes.append(&mut table.changes);
    Ok(Decision { changes, reply: outcomes })
}

/// The share while its new rows are made.
struct Table<'a> {
    share: ResourceShare,
    circle: Option<&'a Circle>,
    known: HashMap<(AssociationKind, String), Association>,
    now: TimestampMs,
    changes: Vec<Change>,
}

impl<'a> Table<'a> {
    fn new(
        share: &ResourceShare,
        existing: Vec<Association>,
        now: TimestampMs,
        circle: Option<&'a Circle>,
    ) -> Self {
        let known = existing.into_iter().map(|row| ((row.kind(), row.entity.clone()), row)).collect();
        Self { share: share.clone(), circle, known, now, changes: Vec::new() }
    }

    /// Whether a row is over, for whatever reason.
    fn is_over(&self, row: &Association) -> bool {
        row.has_ended(self.now) || !lasts(row, self.circle)
    }

    /// The row for an entity: as it is when it stands, else made anew.
    fn seat(
        &mut self,
        entity: String,
        member: Member,
        timing: &Timing,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Outcome {
        let key = (member.kind(), entity);
        if let Some(row) = self.known.get(&key).cloned() {
            if !self.is_over(&row) {
                // AWS: associating what is associated is no error (reference §3.3).
                let (status, _) = row.status(None, self.now, timing);
                return Outcome { association: row, status };
            }
            self.end_expired(&row);
        }
        let standing = self.standing_of(&member, &key.1, ids);
        let association = Association {
            owner: self.share.owner,
            region: self.share.region,
            share: self.share.id,
            share_created: self.share.created,
            id: AssociationId(ids()),
            entity: key.1.clone(),
            member,
            created: self.now,
            standing,
        };
        self.share.contents.add(&association);
        let (status, at) = match standing {
            Standing::Invited { .. } => (AssociationStatus::Associating, self.now),
            _ => (AssociationStatus::Associated, after(self.now, timing.settle_delay_ms)),
        };
        self.changes.push(Change::AssociationStored(association.clone()));
        self.changes.push(Change::EventRecorded(SharingEvent::of_association(&association, status, at)));
        self.known.insert(key, association.clone());
        Outcome { association, status: AssociationStatus::Associating }
    }

    /// Writes down what a row that is made anew will no longer say: that it expired, or that what it rested on is over.
    /// Until then it counts, and so does its invitation until the last row that stands on it.
    fn end_expired(&mut self, row: &Association) {
        if matches!(row.standing, Standing::Granted { .. }) {
            self.share.contents.remove(row);
            let ended = SharingEvent::of_association(row, AssociationStatus::Disassociated, self.now);
            self.changes.push(Change::EventRecorded(ended));
        }
        let Standing::Invited { invitation, deadline } = row.standing else { return };
        self.share.contents.remove(row);
        let ended = SharingEvent::of_association(row, AssociationStatus::Disassociated, deadline);
        self.changes.push(Change::EventRecorded(ended));
        let on_it = |other: &Association| other.id != row.id && other.invitation() == Some(invitation);
        if !self.known.values().any(on_it) {
            let pending = &mut self.share.contents.pending_invitations;
            *pending = pending.saturating_sub(1);
            self.changes.push(Change::EventRecorded(SharingEvent::of_expiry(row, deadline)));
        }
    }

    /// Granted at once, or invited: one live invitation serves all principals of an account in one share.
    fn standing_of(&mut self, member: &Member, entity: &str, ids: &mut dyn FnMut() -> Uuid) -> Standing {
        let granted = Standing::Granted { at: self.now, invitation: None };
        let Member::Principal { principal, receiver: Some(receiver), basis, .. } = member else {
            return granted;
        };
        if receiver == self.share.owner.as_str() || basis.is_some() {
            return granted;
        }
        // What rests on a membership stands on no invitation.
        let of_receiver = |row: &&Association| {
            row.receiver() == Some(receiver) && row.basis().is_none() && !row.has_ended(self.now)
        };
        let live = self.known.values().filter(of_receiver);
        // Of several rows of one account all stand on the same invitation, so any of them tells.
        if let Some(row) = live.min_by_key(|row| row.id) {
            return match row.standing {
                Standing::Granted { invitation, .. } => Standing::Granted { at: self.now, invitation },
                other => other,
            };
        }
        let Ok(receiver) = receiver.parse() else { return granted };
        let invitation = Invitation {
            sender: self.share.owner,
            region: self.share.region,
            id: InvitationId(ids()),
            share: self.share.id,
            receiver,
            receiver_arn: (*principal == PrincipalKind::Identity).then(|| entity.to_owned()),
            created: self.now,
            deadline: deadline(self.now, self.share.contents.short_invitation_resources > 0),
            answer: None,
            share_name: None,
        };
        let standing = Standing::Invited { invitation: invitation.id, deadline: invitation.deadline };
        let event = SharingEvent::of_invitation(&invitation, InvitationStatus::Pending, self.now);
        self.share.contents.pending_invitations += 1;
        self.changes.push(Change::InvitationStored(invitation));
        self.changes.push(Change::EventRecorded(event));
        standing
    }
}

/// Whether the share may reach these principals with these resources.
// AWS: the code depends on the cause: the share's setting, or the resource's type (reference §4.2).
fn check_reach(
    share: &ResourceShare,
    entities: &Entities<'_, '_>,
    circle: Option<&Circle>,
) -> Result<(), Refusal> {
    let Some(circle) = circle else {
        if !share.allow_external_principals && !entities.is_empty() {
            return Err(Refusal::SharingOnlyInsideOrganization);
        }
        let inside_only = |resource: &&Resource<'_, '_>| !resource.resource_type.can_share_externally;
        return match entities.resources.iter().find(inside_only) {
            Some(resource) => {
                let resource_type = resource.resource_type.name.clone();
                Err(Refusal::ResourceTypeOnlyInsideOrganization { resource_type })
            }
            None => Ok(()),
        };
    };
    for principal in &entities.principals {
        let outside = match principal {
            Principal::Account(account) | Principal::Identity { account, .. } => {
                *account != share.owner && !circle.has(*account)
            }
            Principal::Organization { .. } | Principal::OrganizationalUnit { .. } => {
                if share.retain_sharing_on_account_leave_organization {
                    return Err(Refusal::RetainedSharingWithOrganization);
                }
                false
            }
            Principal::Service(_) => false,
        };
        if outside && !share.allow_external_principals {
            return Err(Refusal::PrincipalOutsideOrganization { principal: principal.as_str().to_owned() });
        }
    }
    Ok(())
}

/// What may not be together in one share.
// AWS: columns of the catalog (reference §4.5); service principals are not mixed with others, and sources come only
// with them (reference §4.4, inferred).
pub(crate) fn check_company(before: &Contents, contents: &Contents) -> Result<(), Refusal> {
    if contents.services > 0 && contents.principals > contents.services {
        return Err(Refusal::ServicesMixedWithOthers);
    }
    // Sources that are left from a service principal that was removed stand in nobody's way.
    if contents.sources > before.sources && contents.services == 0 {
        return Err(Refusal::SourcesWithoutServices);
    }
    if contents.identities > 0 && contents.resources_not_for_identities > 0 {
        return Err(Refusal::ResourceTypeNotForIdentities);
    }
    if contents.outsiders > 0 && contents.resources_not_for_outsiders > 0 {
        return Err(Refusal::ResourceTypeNotOutsideOrganization);
    }
    if contents.services > 0 && contents.resources_not_for_services > 0 {
        return Err(Refusal::ResourceTypeNotForServices);
    }
    Ok(())
}

/// What a resource of a type is to a share.
pub(crate) fn resource_member(resource_type: &ResourceType) -> Member {
    Member::Resource {
        resource_type: resource_type.name.clone(),
        short_invitation: shortens_invitation(resource_type),
        for_identities: resource_type.can_share_with_iam_principals,
        for_services: resource_type.can_share_with_service_principals,
        for_outsiders: resource_type.can_share_externally,
    }
}

fn wanted(
    share: &ResourceShare,
    entities: &Entities<'_, '_>,
    circle: Option<&Circle>,
) -> Result<Vec<(String, Member)>, Refusal> {
    let resources = entities
        .resources
        .iter()
        .map(|resource| (resource.arn.to_owned(), resource_member(resource.resource_type)));
    let mut principals = Vec::new();
    for principal in &entities.principals {
        principals.push((principal.as_str().to_owned(), principal_member(share, principal, circle)?));
    }
    let sources = entities
        .sources
        .iter()
        .map(|(text, source_type)| ((*text).to_owned(), Member::Source { source_type: *source_type }));
    Ok(resources.chain(principals).chain(sources).collect())
}

fn principal_member(
    share: &ResourceShare,
    principal: &Principal,
    circle: Option<&Circle>,
) -> Result<Member, Refusal> {
    let of_account = |kind, account: AccountId| {
        let basis =
            circle.filter(|_| account != share.owner).and_then(|circle| circle.basis_of_account(account));
        // AWS: the owner's own account is inside; any other is outside unless it is in the organization, as far as RAM
        // sees it (reference §6.3).
        let external = account != share.owner && basis.is_none();
        Member::Principal { principal: kind, receiver: Some(account.to_string()), external, basis }
    };
    Ok(match principal {
        Principal::Account(account) => of_account(PrincipalKind::Account, *account),
        Principal::Identity { account, .. } => of_account(PrincipalKind::Identity, *account),
        Principal::Service(_) => {
            let principal = PrincipalKind::Service;
            Member::Principal { principal, receiver: None, external: false, basis: None }
        }
        Principal::Organization { id, .. } => {
            let basis = Circle::basis_of_entity(circle, principal)?;
            let (principal, receiver) = (PrincipalKind::Organization, Some(id.clone()));
            Member::Principal { principal, receiver, external: false, basis }
        }
        Principal::OrganizationalUnit { id, .. } => {
            let basis = Circle::basis_of_entity(circle, principal)?;
            let (principal, receiver) = (PrincipalKind::OrganizationalUnit, Some(id.clone()));
            Member::Principal { principal, receiver, external: false, basis }
        }
    })
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
    fn an_account_and_its_role_that_expired_are_invited_anew_by_one_invitation() {
        let role = "arn:aws:iam::222222222222:role/Reader";
        let mut world = World::new();
        world.associate(&[MESH, COMPONENT], &[CONSUMER, role], at(0)).unwrap();
        assert_eq!((world.invitations.len(), world.share.contents.pending_invitations), (1, 1));
        world.associate(&[], &[CONSUMER], at(SHORT_WINDOW_MS)).unwrap();
        // The first still has the role's row, until that is made anew or tidied.
        assert_eq!((world.invitations.len(), world.share.contents.pending_invitations), (2, 2));
        world.associate(&[], &[role], at(SHORT_WINDOW_MS)).unwrap();
        assert_eq!((world.invitations.len(), world.share.contents.pending_invitations), (2, 1));
        assert_eq!(world.principal(role).invitation(), world.principal(CONSUMER).invitation());
        assert_eq!((world.share.contents.principals, world.share.contents.identities), (2, 1));
        let expired = world.events.iter().filter(|event| event.status == "expired").count();
        assert_eq!(expired, 1);
    }

    #[test]
    fn service_principals_have_a_source_and_no_company() {
        const SERVICE: &str = "acm.amazonaws.com";
        let mut world = World::new();
        let outcomes = world.associate(&[], &[SERVICE], at(0)).unwrap();
        assert_eq!(outcomes.len(), 1);
        assert!(world.row(AssociationKind::Source, OWNER).is_some());
        assert_eq!((world.share.contents.services, world.share.contents.sources), (1, 1));
        assert_eq!(world.associate(&[], &[CONSUMER], at(1)), Err(Refusal::ServicesMixedWithOthers));
        assert_eq!(world.associate(&[GATEWAY], &[], at(1)), Err(Refusal::ResourceTypeNotForServices));
        let refused = World::new().associate_with(&[], &[CONSUMER], &[OWNER], at(0));
        assert_eq!(refused, Err(Refusal::SourcesWithoutServices));
        // A source that was given stands alone.
        let mut world = World::new();
        world.associate_with(&[], &[SERVICE], &[CONSUMER], at(0)).unwrap();
        assert_eq!(world.row(AssociationKind::Source, OWNER), None);
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
        assert_eq!(check_call_size(100, 100, 100), Ok(()));
        assert_eq!(check_call_size(101, 0, 0), Err(Refusal::TooManyResources { resources: 101 }));
        assert_eq!(check_call_size(0, 101, 0), Err(Refusal::TooManyPrincipals { principals: 101 }));
    }
}
