//! An invitation: the offer of a share to an account, and the account's answer (reference §3.4, §5).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::association::{Association, AssociationStatus, Standing};
use crate::catalog::ResourceType;
use crate::ids::{InvitationArn, InvitationId, ShareId};
use crate::resource_share::ResourceShare;
use crate::timing::{HOUR_MS, Timing, after};
use crate::{Change, Decision, OwnerUsage, Refusal, SharingEvent};

/// Lifetime of an invitation to a share that holds only types of the older generation, or nothing.
pub const LONG_WINDOW_MS: i64 = 7 * 24 * HOUR_MS;
/// Lifetime of an invitation to a share that holds any other type.
pub const SHORT_WINDOW_MS: i64 = 12 * HOUR_MS;

/// One row of `invitation`. It lives with its sender; the ARN names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The account that owns the share.
    pub sender: AccountId,
    /// The share's Region.
    pub region: Region,
    /// Its id.
    pub id: InvitationId,
    /// The share that is offered.
    pub share: ShareId,
    /// The account that may answer.
    pub receiver: AccountId,
    /// The role or user that was named, when it was not the account.
    pub receiver_arn: Option<String>,
    /// When it was made.
    pub created: TimestampMs,
    /// From here on it can no longer be answered. Fixed when it is made.
    pub deadline: TimestampMs,
    /// What the receiver said, once it did.
    pub answer: Option<Answer>,
    /// The share's name, once the share's own row is gone and this is still shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_name: Option<String>,
}

/// What the receiver said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Accepted, or else rejected.
    pub accepted: bool,
    /// When.
    pub at: TimestampMs,
}

/// The `status` of an invitation on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own terms")]
pub enum InvitationStatus {
    Pending,
    Accepted,
    Rejected,
    Expired,
}

impl InvitationStatus {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }
}

impl Invitation {
    /// Its ARN.
    pub fn arn(&self) -> InvitationArn {
        InvitationArn { sender: self.sender, region: self.region, id: self.id }
    }

    /// The status at `now`. An invitation expires at its deadline whether or not anything has noticed.
    pub fn status(&self, now: TimestampMs) -> InvitationStatus {
        match self.answer {
            Some(Answer { accepted: true, .. }) => InvitationStatus::Accepted,
            Some(Answer { accepted: false, .. }) => InvitationStatus::Rejected,
            None if now >= self.deadline => InvitationStatus::Expired,
            None => InvitationStatus::Pending,
        }
    }

    /// `invitationTimestamp`: the time of the last change of status (reference §3.4).
    pub fn timestamp(&self, now: TimestampMs) -> TimestampMs {
        match self.answer {
            Some(answer) => answer.at,
            None if now >= self.deadline => self.deadline,
            None => self.created,
        }
    }

    /// Whether it can still be seen: answered and expired ones go after a while, an accepted one stays as long as
    /// its association (it is dropped with it).
    pub fn is_visible(&self, now: TimestampMs, timing: &Timing) -> bool {
        let kept_ms = match self.status(now) {
            InvitationStatus::Pending => return true,
            InvitationStatus::Accepted => match timing.accepted_invitation_visible_ms {
                None => return true,
                Some(ms) => ms,
            },
            InvitationStatus::Rejected | InvitationStatus::Expired => timing.answered_invitation_visible_ms,
        };
        now < after(self.timestamp(now), kept_ms)
    }

    /// Whether it is still shown though its share was deleted.
    // AWS: pending ones vanish with the share, rejected and expired ones are shown for seven days (reference §3.4, §10.4,
    // inferred). An accepted one lives as long as its association, which ended.
    pub fn outlives_share(&self, deleted: TimestampMs) -> bool {
        match self.answer {
            Some(answer) => !answer.accepted,
            None => self.deadline <= deleted,
        }
    }
}

/// When an invitation made `now` expires, given what the share will hold.
// AWS: 12 hours if any type of the newer generation is in it, else 7 days, also for an empty share (reference §5.1,
// the recommended choice for mixed and empty shares).
pub(crate) fn deadline(now: TimestampMs, holds_short_invitation_type: bool) -> TimestampMs {
    after(now, if holds_short_invitation_type { SHORT_WINDOW_MS } else { LONG_WINDOW_MS })
}

/// Whether a resource of this type shortens the invitation of a share that holds it.
pub(crate) fn shortens_invitation(resource_type: &ResourceType) -> bool {
    resource_type.invitation_window_ms() < LONG_WINDOW_MS
}

/// What is known of an invitation that somebody wants to answer or look into.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The invitation.
    pub invitation: Invitation,
    /// The share it offers.
    pub share: ResourceShare,
    /// The receiver's associations with the share that stand on this invitation.
    pub associations: Vec<Association>,
    /// What the sender uses of its quotas.
    pub usage: OwnerUsage,
}

/// An invitation as it is found.
#[derive(Clone, Debug)]
pub enum Found {
    /// With what it offers.
    Offer(Box<Offer>),
    /// It has outlived its share's row.
    Alone(Invitation),
}

impl Found {
    fn invitation(&self) -> &Invitation {
        match self {
            Self::Offer(offer) => &offer.invitation,
            Self::Alone(invitation) => invitation,
        }
    }

    /// Whether the share is there, or the invitation is shown without it.
    fn is_kept(&self) -> bool {
        match self {
            Self::Offer(offer) => {
                offer.share.deleted.is_none_or(|deleted| offer.invitation.outlives_share(deleted))
            }
            Self::Alone(_) => true,
        }
    }
}

/// The offer, if `caller` is its receiver, calls in its Region, and it can be seen. What is left of an invitation to a
/// deleted share cannot be answered any more.
// AWS: a wrong account and an unknown ARN are answered alike, so as not to leak (reference §5.4, inferred).
pub fn check_received(
    found: Option<Found>,
    arn: InvitationArn,
    caller: AccountId,
    region: Region,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Offer, Refusal> {
    let seen = |found: &Found| {
        let invitation = found.invitation();
        invitation.receiver == caller
            && invitation.region == region
            && found.is_kept()
            && invitation.is_visible(now, timing)
    };
    let not_found = Refusal::InvitationNotFound { invitation: arn };
    match found.filter(seen) {
        Some(Found::Offer(offer)) if offer.share.deleted.is_none() => Ok(*offer),
        Some(left) => Err(check_pending(left.invitation(), now).err().unwrap_or(not_found)),
        None => Err(not_found),
    }
}

/// Accepts: the invitation says so at once, and the associations that waited are granted from `now` on.
pub fn decide_accept(
    offer: Offer,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Decision<Invitation>, Refusal> {
    check_waiting(&offer, now)?;
    let answered =
        Invitation { answer: Some(Answer { accepted: true, at: now }), ..offer.invitation.clone() };
    let standing = Standing::Granted { at: now, invitation: Some(answered.id) };
    let settled = after(now, timing.settle_delay_ms);
    Ok(decide_answer(offer, answered, standing, AssociationStatus::Associated, (now, settled)))
}

/// Rejects: the associations that waited end.
// AWS: DISASSOCIATED on reject is by analogy with expiry (reference §3.3, inferred).
pub fn decide_reject(
    offer: Offer,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Decision<Invitation>, Refusal> {
    check_waiting(&offer, now)?;
    let answered =
        Invitation { answer: Some(Answer { accepted: false, at: now }), ..offer.invitation.clone() };
    let settled = after(now, timing.settle_delay_ms);
    let ended = Standing::Ended { at: now };
    Ok(decide_answer(offer, answered, ended, AssociationStatus::Disassociated, (now, settled)))
}

/// Writes down what time has done: the associations that waited ended when the invitation expired. The invitation's
/// own row says so by itself. Nothing to do when it was answered, or is not due yet, or went with its share before it
/// was due.
pub fn decide_expire(offer: Offer, now: TimestampMs, timing: &Timing) -> Option<Decision<Invitation>> {
    let waiting = offer.associations.iter().any(|row| matches!(row.standing, Standing::Invited { .. }));
    let own_end = offer.share.deleted.is_none_or(|deleted| offer.invitation.deadline <= deleted);
    if offer.invitation.status(now) != InvitationStatus::Expired || !waiting || !own_end {
        return None;
    }
    let (expired, at) = (offer.invitation.clone(), offer.invitation.deadline);
    let settled = after(at, timing.settle_delay_ms);
    Some(decide_answer(
        offer,
        expired,
        Standing::Ended { at },
        AssociationStatus::Disassociated,
        (at, settled),
    ))
}

/// Refuses what waits for no answer, by the clock or by what was written: a node whose clock is ahead may have ended what
/// waited, and that stays.
fn check_waiting(offer: &Offer, now: TimestampMs) -> Result<(), Refusal> {
    check_pending(&offer.invitation, now)?;
    if offer.associations.is_empty() {
        return Err(Refusal::InvitationExpired { invitation: offer.invitation.arn() });
    }
    Ok(())
}

/// What follows from an invitation that is no longer pending: its associations, the kept counts, the records.
fn decide_answer(
    offer: Offer,
    invitation: Invitation,
    standing: Standing,
    status: AssociationStatus,
    (answered, settled): (TimestampMs, TimestampMs),
) -> Decision<Invitation> {
    let mut contents = offer.share.contents;
    contents.pending_invitations = contents.pending_invitations.saturating_sub(1);
    let event = SharingEvent::of_invitation(&invitation, invitation.status(answered), answered);
    let mut changes = vec![Change::InvitationStored(invitation.clone()), Change::EventRecorded(event)];
    for row in offer.associations {
        if matches!(standing, Standing::Ended { .. }) {
            contents.remove(&row);
        }
        let row = Association { standing, ..row };
        changes.push(Change::EventRecorded(SharingEvent::of_association(&row, status, settled)));
        changes.push(Change::AssociationStored(row));
    }
    // The counts of a deleted share went with it.
    if offer.share.deleted.is_none() {
        let usage = offer.usage.moved(&offer.share.contents, &contents);
        changes.push(Change::ShareStored(ResourceShare { contents, ..offer.share }));
        changes.push(Change::UsageStored(usage));
    }
    Decision { changes, reply: invitation }
}

/// Refuses what waits for no answer.
pub fn check_pending(invitation: &Invitation, now: TimestampMs) -> Result<(), Refusal> {
    let arn = invitation.arn();
    match invitation.status(now) {
        InvitationStatus::Pending => Ok(()),
        InvitationStatus::Accepted => Err(Refusal::InvitationAlreadyAccepted { invitation: arn }),
        InvitationStatus::Rejected => Err(Refusal::InvitationAlreadyRejected { invitation: arn }),
        InvitationStatus::Expired => Err(Refusal::InvitationExpired { invitation: arn }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{COMPONENT, CONSUMER, GATEWAY, OWNER, World, account, at};
    use crate::timing::DAY_MS;

    fn invited() -> World {
        let mut world = World::new();
        world.associate(&[GATEWAY], &[CONSUMER], at(0)).unwrap();
        world
    }

    fn principal_status(world: &World, now: i64) -> AssociationStatus {
        world.principal(CONSUMER).status(None, at(now), &Timing::default()).0
    }

    #[test]
    fn accepting_grants_the_association_and_keeps_its_creation_time() {
        let mut world = invited();
        assert_eq!(principal_status(&world, 5), AssociationStatus::Associating);
        let decision = decide_accept(world.offer(), at(10), &Timing::default()).unwrap();
        let accepted = world.apply(decision);
        assert_eq!(
            (accepted.status(at(10)), accepted.timestamp(at(10))),
            (InvitationStatus::Accepted, at(10))
        );
        assert_eq!(world.principal(CONSUMER).created, at(0));
        let status = world.principal(CONSUMER).status(None, at(10), &Timing::default());
        assert_eq!(status, (AssociationStatus::Associated, at(10)));
    }

    /// For a node whose clock is ahead it had expired.
    #[test]
    fn what_was_ended_elsewhere_cannot_be_answered_any_more() {
        let mut world = invited();
        let expired = decide_expire(world.offer(), at(LONG_WINDOW_MS), &Timing::default()).unwrap();
        world.apply(expired);
        let before = at(LONG_WINDOW_MS - 1);
        let timing = Timing::default();
        let accepted = decide_accept(world.offer(), before, &timing).map(|decision| decision.reply);
        assert!(matches!(accepted, Err(Refusal::InvitationExpired { .. })), "{accepted:?}");
        let rejected = decide_reject(world.offer(), before, &timing).map(|decision| decision.reply);
        assert!(matches!(rejected, Err(Refusal::InvitationExpired { .. })), "{rejected:?}");
    }

    #[test]
    fn rejecting_ends_the_association_and_counts_it_out() {
        let mut world = invited();
        let decision = decide_reject(world.offer(), at(10), &Timing::default()).unwrap();
        let rejected = world.apply(decision);
        assert_eq!(
            (rejected.status(at(10)), rejected.timestamp(at(10))),
            (InvitationStatus::Rejected, at(10))
        );
        assert_eq!(principal_status(&world, 10), AssociationStatus::Disassociated);
        assert_eq!(world.share.contents.principals, 0);
    }

    #[test]
    fn an_answer_is_final() {
        let mut world = invited();
        let decision = decide_accept(world.offer(), at(10), &Timing::default()).unwrap();
        world.apply(decision);
        for decide in [decide_accept, decide_reject] {
            let refused = decide(world.offer(), at(11), &Timing::default()).map(|d| d.reply);
            assert!(matches!(refused, Err(Refusal::InvitationAlreadyAccepted { .. })));
        }
        let mut world = invited();
        let decision = decide_reject(world.offer(), at(10), &Timing::default()).unwrap();
        world.apply(decision);
        for decide in [decide_accept, decide_reject] {
            let refused = decide(world.offer(), at(11), &Timing::default()).map(|d| d.reply);
            assert!(matches!(refused, Err(Refusal::InvitationAlreadyRejected { .. })));
        }
    }

    #[test]
    fn an_invitation_expires_at_its_deadline_to_the_millisecond() {
        let mut world = World::new();
        world.associate(&[COMPONENT], &[CONSUMER], at(0)).unwrap();
        assert!(decide_accept(world.offer(), at(SHORT_WINDOW_MS - 1), &Timing::default()).is_ok());
        let refused = decide_accept(world.offer(), at(SHORT_WINDOW_MS), &Timing::default()).map(|d| d.reply);
        assert!(matches!(refused, Err(Refusal::InvitationExpired { .. })));
        let invitation = &world.offer().invitation;
        assert_eq!(invitation.status(at(SHORT_WINDOW_MS)), InvitationStatus::Expired);
        assert_eq!(invitation.timestamp(at(SHORT_WINDOW_MS + 9)), at(SHORT_WINDOW_MS));
        assert_eq!(principal_status(&world, SHORT_WINDOW_MS - 1), AssociationStatus::Associating);
        assert_eq!(principal_status(&world, SHORT_WINDOW_MS), AssociationStatus::Disassociated);
    }

    #[test]
    fn an_expiry_is_written_down_once_and_not_of_a_share_that_was_deleted_before() {
        let mut world = invited();
        assert_eq!(decide_expire(world.offer(), at(LONG_WINDOW_MS - 1), &Timing::default()), None);
        let mut deleted = world.offer();
        deleted.share.deleted = Some(at(LONG_WINDOW_MS - 1));
        assert_eq!(decide_expire(deleted.clone(), at(LONG_WINDOW_MS), &Timing::default()), None);
        deleted.share.deleted = Some(at(LONG_WINDOW_MS));
        let changes = decide_expire(deleted, at(LONG_WINDOW_MS), &Timing::default()).unwrap().changes;
        let counts = |change: &Change| matches!(change, Change::ShareStored(_) | Change::UsageStored(_));
        assert!(!changes.iter().any(counts), "its counts went with it: {changes:?}");
        let decision = decide_expire(world.offer(), at(LONG_WINDOW_MS + 5), &Timing::default()).unwrap();
        world.apply(decision);
        assert_eq!(world.principal(CONSUMER).standing, Standing::Ended { at: at(LONG_WINDOW_MS) });
        assert_eq!((world.usage.principals, world.usage.pending_invitations), (0, 0));
        assert_eq!(decide_expire(world.offer(), at(LONG_WINDOW_MS + 6), &Timing::default()), None);
        let mut accepted = invited();
        let decision = decide_accept(accepted.offer(), at(10), &Timing::default()).unwrap();
        accepted.apply(decision);
        assert_eq!(decide_expire(accepted.offer(), at(LONG_WINDOW_MS), &Timing::default()), None);
    }

    #[test]
    fn only_the_receiver_sees_it() {
        let world = invited();
        let arn = world.offer().invitation.arn();
        let check = |caller, offer: Option<Offer>| {
            let found = offer.map(|offer| Found::Offer(Box::new(offer)));
            check_received(found, arn, account(caller), world.share.region, at(1), &Timing::default())
        };
        assert!(check(CONSUMER, Some(world.offer())).is_ok());
        for (caller, offer) in
            [(OWNER, Some(world.offer())), ("333333333333", Some(world.offer())), (CONSUMER, None)]
        {
            assert_eq!(check(caller, offer).map(drop), Err(Refusal::InvitationNotFound { invitation: arn }));
        }
        let mut deleted = world.offer();
        deleted.share.deleted = Some(at(1));
        assert_eq!(
            check(CONSUMER, Some(deleted)).map(drop),
            Err(Refusal::InvitationNotFound { invitation: arn })
        );
    }

    #[test]
    fn what_is_left_of_an_invitation_to_a_deleted_share_says_why_it_cannot_be_answered() {
        let timing = Timing::default();
        let mut world = invited();
        let (arn, region) = (world.offer().invitation.arn(), world.share.region);
        let check = |found, now| {
            check_received(Some(found), arn, account(CONSUMER), region, at(now), &timing).map(drop)
        };
        let deleted = |mut offer: Offer, now| {
            offer.share.deleted = Some(at(now));
            Found::Offer(Box::new(offer))
        };
        let (due, not_found) = (LONG_WINDOW_MS, Err(Refusal::InvitationNotFound { invitation: arn }));
        assert_eq!(check(deleted(world.offer(), due - 1), due + 1), not_found);
        let expired = Err(Refusal::InvitationExpired { invitation: arn });
        assert_eq!(check(deleted(world.offer(), due), due + 1), expired);
        let mut accepted = invited();
        let decision = decide_accept(accepted.offer(), at(5), &timing).unwrap();
        accepted.apply(decision);
        assert_eq!(check(deleted(accepted.offer(), 6), 7), not_found);
        let decision = decide_reject(world.offer(), at(5), &timing).unwrap();
        let rejected = world.apply(decision);
        let refused = Err(Refusal::InvitationAlreadyRejected { invitation: arn });
        assert_eq!(check(deleted(world.offer(), 6), 7), refused);
        assert_eq!(check(Found::Alone(rejected.clone()), 7), refused);
        assert_eq!(check(Found::Alone(rejected), 5 + 7 * DAY_MS), not_found);
    }

    #[test]
    fn answered_and_expired_ones_vanish_after_seven_days_and_accepted_ones_do_not() {
        let timing = Timing::default();
        let mut world = invited();
        let expired = world.offer().invitation;
        assert!(expired.is_visible(at(LONG_WINDOW_MS + 7 * DAY_MS - 1), &timing));
        assert!(!expired.is_visible(at(LONG_WINDOW_MS + 7 * DAY_MS), &timing));
        let rejected = decide_reject(world.offer(), at(5), &timing).unwrap().reply;
        assert!(rejected.is_visible(at(5 + 7 * DAY_MS - 1), &timing));
        assert!(!rejected.is_visible(at(5 + 7 * DAY_MS), &timing));
        let decision = decide_accept(world.offer(), at(5), &timing).unwrap();
        assert!(world.apply(decision).is_visible(at(1000 * DAY_MS), &timing));
    }
}
