//! Taking principals, resources and sources out of a share: the owner's removal, and the consumer's leaving (reference
//! §5.5, §10.6).

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;

use crate::associate::Outcome;
use crate::association::{Association, AssociationStatus, Member, Standing};
use crate::contents::Contents;
use crate::event::SharingEvent;
use crate::ids::InvitationId;
use crate::organization::Circle;
use crate::organization::circle::lasts;
use crate::quota::OwnerUsage;
use crate::resource_share::{ResourceShare, check_own};
use crate::timing::{Timing, after};
use crate::{Change, Decision, Refusal};

/// Removes what the owner names. `named` pairs each entity of the call with the share's row for it; `company` are the
/// share's rows for the accounts that the named principals are in; `circle` is the owner's, as far as these rows rest on
/// memberships.
// AWS: a pending principal can be removed, which takes its invitation back (reference §10.6, inferred).
pub fn decide_disassociate(
    share: &ResourceShare,
    named: Vec<(&str, Option<Association>)>,
    company: &[Association],
    usage: OwnerUsage,
    circle: Option<&Circle>,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    if share.deleted.is_some() {
        // AWS: not InvalidStateTransition: a client that removes what is gone must be able to go on (clients §2).
        return Err(Refusal::ShareNotFound { share: share.arn() });
    }
    check_own(share)?;
    let mut removed = Vec::new();
    let mut outcomes = Vec::new();
    for (entity, row) in named {
        let Some(row) = row.filter(|row| row.is_visible(now, timing)) else {
            return Err(Refusal::EntityNotAssociated { entity: entity.to_owned(), share: share.arn() });
        };
        if row.has_ended(now) {
            // Removing twice is no error: clients send a call again when they missed its answer.
            let (status, _) = row.status(None, now, timing);
            outcomes.push(Outcome { association: row, status });
            continue;
        }
        removed.push(row.clone());
        let status = if lasts(&row, circle) {
            AssociationStatus::Disassociating
        } else {
            // What a membership's end has ended is over for every reader; its row is yet to say so.
            let ended = Association { standing: Standing::Ended { at: now }, ..row.clone() };
            ended.status(None, now, timing).0
        };
        outcomes.push(Outcome { association: row, status });
    }
    let (changes, contents) = end_all(share, &removed, company, usage, now, timing);
    // AWS: at least one source stays while a service principal is there (reference §4.4; the code is inferred).
    if contents.services > 0 && contents.sources == 0 {
        return Err(Refusal::LastSourceOfServices);
    }
    Ok(Decision { changes, reply: outcomes })
}

/// Lets `caller`, an account that was invited and accepted, leave. `company` are all its rows in the share: it leaves
/// with all of them. `any_type` lifts the rule of the types.
// AWS: only directly invited accounts, and only shares that are empty or hold the types with the long invitation
// (reference §5.5).
pub fn decide_leave(
    share: &ResourceShare,
    caller: AccountId,
    company: &[Association],
    usage: OwnerUsage,
    now: TimestampMs,
    timing: &Timing,
    any_type: bool,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    let granted: Vec<_> =
        company.iter().filter(|row| matches!(row.standing, Standing::Granted { .. })).cloned().collect();
    let own = granted.iter().find(|row| row.entity == caller.as_str()).or(granted.first());
    let own =
        own.filter(|_| share.deleted.is_none()).ok_or(Refusal::ShareNotFound { share: share.arn() })?.clone();
    let directly_invited = own.entity == caller.as_str() && own.invitation().is_some();
    if !directly_invited || (share.contents.short_invitation_resources > 0 && !any_type) {
        return Err(Refusal::LeaveNotPermitted { share: share.arn() });
    }
    let (changes, _) = end_all(share, &granted, company, usage, now, timing);
    let association = as_told_to_itself(own);
    Ok(Decision { changes, reply: vec![Outcome { association, status: AssociationStatus::Disassociating }] })
}

// AWS: who leaves is told `external: false`, though its owner is told true (reference §5.5, Appendix A).
fn as_told_to_itself(mut own: Association) -> Association {
    if let Member::Principal { external, .. } = &mut own.member {
        *external = false;
    }
    own
}

/// Ends associations. The invitation they stood on is dropped with the last of them: pending, it can no longer be
/// answered; accepted, it has lived as long as its association.
fn end_all(
    share: &ResourceShare,
    removed: &[Association],
    company: &[Association],
    usage: OwnerUsage,
    now: TimestampMs,
    timing: &Timing,
) -> (Vec<Change>, Contents) {
    let mut contents = share.contents;
    let mut changes = Vec::new();
    let mut dropped: Vec<InvitationId> = Vec::new();
    for row in removed {
        contents.remove(row);
        let ended = Association { standing: Standing::Ended { at: now }, ..row.clone() };
        let settled = after(now, timing.settle_delay_ms);
        let event = SharingEvent::of_association(&ended, AssociationStatus::Disassociated, settled);
        changes.push(Change::AssociationStored(ended));
        changes.push(Change::EventRecorded(event));
        let Some(invitation) = row.invitation().filter(|id| !dropped.contains(id)) else { continue };
        let stays = |other: &Association| {
            other.invitation() == Some(invitation) && removed.iter().all(|row| row.id != other.id)
        };
        if company.iter().any(stays) {
            continue;
        }
        dropped.push(invitation);
        if matches!(row.standing, Standing::Invited { .. }) {
            contents.pending_invitations = contents.pending_invitations.saturating_sub(1);
        }
        changes.push(Change::InvitationDropped { sender: row.owner, region: row.region, invitation });
    }
    if contents != share.contents {
        changes.push(Change::UsageStored(usage.moved(&share.contents, &contents)));
        changes.push(Change::ShareStored(ResourceShare { contents, ..share.clone() }));
    }
    (changes, contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AssociationKind;
    use crate::fixtures::{COMPONENT, CONSUMER, GATEWAY, World, account, at};
    use crate::invitation::{SHORT_WINDOW_MS, decide_accept};
    use crate::timing::HOUR_MS;

    fn remove(
        world: &mut World,
        kind: AssociationKind,
        entity: &str,
        now: i64,
    ) -> Result<Vec<Outcome>, Refusal> {
        let named = vec![(entity, world.row(kind, entity))];
        let decision = decide_disassociate(
            &world.share,
            named,
            &world.associations,
            world.usage,
            None,
            at(now),
            &Timing::default(),
        )?;
        Ok(world.apply(decision))
    }

    fn leave(world: &mut World, who: &str, now: i64) -> Result<Vec<Outcome>, Refusal> {
        let rows: Vec<_> =
            world.associations.iter().filter(|row| row.receiver() == Some(who)).cloned().collect();
        let timing = Timing::default();
        let decision = decide_leave(&world.share, account(who), &rows, world.usage, at(now), &timing, false)?;
        Ok(world.apply(decision))
    }

    fn joined(resources: &[&str]) -> World {
        let mut world = World::new();
        world.associate(resources, &[CONSUMER], at(0)).unwrap();
        let decision = decide_accept(world.offer(), at(1), &Timing::default()).unwrap();
        world.apply(decision);
        world
    }

    #[test]
    fn what_is_removed_says_disassociating_and_is_disassociated_for_two_hours() {
        let timing = Timing::default();
        let mut world = joined(&[GATEWAY]);
        let outcomes = remove(&mut world, AssociationKind::Resource, GATEWAY, 10).unwrap();
        assert_eq!(outcomes[0].status, AssociationStatus::Disassociating);
        let row = world.row(AssociationKind::Resource, GATEWAY).unwrap();
        assert_eq!(row.status(None, at(10), &timing), (AssociationStatus::Disassociated, at(10)));
        assert!(row.is_visible(at(10 + 2 * HOUR_MS - 1), &timing));
        assert!(!row.is_visible(at(10 + 2 * HOUR_MS), &timing));
        assert_eq!(world.share.contents.resources, 0);
    }

    #[test]
    fn removing_twice_is_no_error_and_removing_a_stranger_is() {
        let mut world = joined(&[GATEWAY]);
        remove(&mut world, AssociationKind::Resource, GATEWAY, 10).unwrap();
        let again = remove(&mut world, AssociationKind::Resource, GATEWAY, 11).unwrap();
        assert_eq!(again[0].status, AssociationStatus::Disassociated);
        assert_eq!(world.share.contents.resources, 0);
        let refused = remove(&mut world, AssociationKind::Principal, "333333333333", 11);
        assert!(matches!(refused, Err(Refusal::EntityNotAssociated { .. })));
        let long_after = remove(&mut world, AssociationKind::Resource, GATEWAY, 10 + 2 * HOUR_MS);
        assert!(matches!(long_after, Err(Refusal::EntityNotAssociated { .. })));
    }

    #[test]
    fn removing_a_principal_takes_its_invitation_along() {
        let mut pending = World::new();
        pending.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        remove(&mut pending, AssociationKind::Principal, CONSUMER, 5).unwrap();
        assert_eq!(pending.invitations, []);
        let mut accepted = joined(&[GATEWAY]);
        remove(&mut accepted, AssociationKind::Principal, CONSUMER, 5).unwrap();
        assert_eq!(accepted.invitations, []);
    }

    #[test]
    fn an_expired_principal_is_over_already() {
        let mut world = World::new();
        world.associate(&[COMPONENT], &[CONSUMER], at(0)).unwrap();
        let outcomes = remove(&mut world, AssociationKind::Principal, CONSUMER, SHORT_WINDOW_MS).unwrap();
        assert_eq!(outcomes[0].status, AssociationStatus::Disassociated);
        assert_eq!(world.invitations.len(), 1, "it stays to be seen as EXPIRED");
    }

    // AWS: only directly invited accounts, only empty shares or the 14 long-lived types (reference §5.5).
    #[test]
    fn an_invited_account_leaves_what_may_be_left() {
        for resources in [&[GATEWAY][..], &[]] {
            let mut world = joined(resources);
            let told = leave(&mut world, CONSUMER, 9).unwrap().remove(0);
            assert_eq!(told.status, AssociationStatus::Disassociating);
            assert!(!told.association.is_external() && world.principal(CONSUMER).is_external());
            assert_eq!((world.invitations.len(), world.share.contents.principals), (0, 0));
            assert!(matches!(leave(&mut world, CONSUMER, 10), Err(Refusal::ShareNotFound { .. })));
        }
        let mut world = joined(&[GATEWAY, COMPONENT]);
        assert!(matches!(leave(&mut world, CONSUMER, 9), Err(Refusal::LeaveNotPermitted { .. })));
    }

    #[test]
    fn who_has_not_accepted_has_nothing_to_leave() {
        let mut world = World::new();
        world.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        assert!(matches!(leave(&mut world, CONSUMER, 9), Err(Refusal::ShareNotFound { .. })));
        assert!(matches!(leave(&mut world, "333333333333", 9), Err(Refusal::ShareNotFound { .. })));
    }
}
