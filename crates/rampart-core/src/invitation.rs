//! An invitation: the offer of a share to an account, and the account's answer (reference §3.4, §5).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use serde::{Deserialize, Serialize};

use crate::association::{Association, Standing};
use crate::catalog::ResourceType;
use crate::ids::{InvitationArn, InvitationId, ShareId};
use crate::resource_share::ResourceShare;
use crate::timing::{HOUR_MS, Timing, after};
use crate::{Change, Decision, Refusal};

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
        match self.status(now) {
            InvitationStatus::Pending | InvitationStatus::Accepted => true,
            InvitationStatus::Rejected | InvitationStatus::Expired => {
                now < after(self.timestamp(now), timing.answered_invitation_visible_ms)
            }
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
    /// The association that waits for the answer.
    pub association: Association,
}

/// The offer, if `caller` is its receiver, calls in its Region, and it can be seen.
// AWS: a wrong account and an unknown ARN are answered alike, so as not to leak (reference §5.4, inferred).
pub fn check_received(
    offer: Option<Offer>,
    arn: InvitationArn,
    caller: AccountId,
    region: Region,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Offer, Refusal> {
    offer
        .filter(|offer| {
            offer.invitation.receiver == caller
                && offer.invitation.region == region
                && offer.share.deleted.is_none()
                && offer.invitation.is_visible(now, timing)
        })
        .ok_or(Refusal::InvitationNotFound { invitation: arn })
}

/// Accepts: the invitation says so at once, and the association that waited is granted from `now` on.
pub fn decide_accept(offer: Offer, now: TimestampMs) -> Result<Decision<Invitation>, Refusal> {
    check_pending(&offer.invitation, now)?;
    let invitation = Invitation { answer: Some(Answer { accepted: true, at: now }), ..offer.invitation };
    let standing = Standing::Granted { at: now, invitation: Some(invitation.id) };
    let association = Association { standing, ..offer.association };
    let changes = vec![Change::InvitationStored(invitation.clone()), Change::AssociationStored(association)];
    Ok(Decision { changes, reply: invitation })
}

/// Rejects: the association that waited ends.
// AWS: DISASSOCIATED on reject is by analogy with expiry (reference §3.3, inferred).
pub fn decide_reject(offer: Offer, now: TimestampMs) -> Result<Decision<Invitation>, Refusal> {
    check_pending(&offer.invitation, now)?;
    let invitation = Invitation { answer: Some(Answer { accepted: false, at: now }), ..offer.invitation };
    let mut share = offer.share;
    share.contents.remove(&offer.association);
    let association = Association { standing: Standing::Ended { at: now }, ..offer.association };
    let changes = vec![
        Change::InvitationStored(invitation.clone()),
        Change::AssociationStored(association),
        Change::ShareStored(share),
    ];
    Ok(Decision { changes, reply: invitation })
}

fn check_pending(invitation: &Invitation, now: TimestampMs) -> Result<(), Refusal> {
    let arn = invitation.arn();
    match invitation.status(now) {
        InvitationStatus::Pending => Ok(()),
        InvitationStatus::Accepted => Err(Refusal::InvitationAlreadyAccepted { invitation: arn }),
        InvitationStatus::Rejected => Err(Refusal::InvitationAlreadyRejected { invitation: arn }),
        InvitationStatus::Expired => Err(Refusal::InvitationExpired { invitation: arn }),
    }
}
