//! Invitations (reference §3.4, §5).

use serde_json::{Value, json};

use crate::lists::resource_shape;
use crate::share::{Share, Standing};
use crate::world::{Answer, Caller, DAY, World, allows, refused, text, texts};

#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    /// `<invitation-3-B>`
    pub(crate) label: String,
    /// The share's label.
    pub(crate) share: String,
    pub(crate) sender: String,
    pub(crate) region: String,
    pub(crate) receiver: String,
    /// The role or user that was named, when it was not the account.
    pub(crate) receiver_arn: Option<String>,
    pub(crate) deadline: i64,
    pub(crate) status: &'static str,
    /// When the status last changed.
    pub(crate) changed: i64,
}

impl Invitation {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ram:{}:{}:resource-share-invitation/{}", self.region, self.sender, self.label)
    }

    /// Whether the share's owner sent it from the share's Region.
    pub(crate) fn is_of(&self, share: &Share) -> bool {
        self.sender == share.owner && self.region == share.region
    }

    /// What was rejected or has expired is shown for seven days; what was accepted, as long as somebody stands on it.
    pub(crate) fn is_shown(&self, now: i64) -> bool {
        matches!(self.status, "PENDING" | "ACCEPTED") || now < self.changed + 7 * DAY
    }

    pub(crate) fn shape(&self, share: &Share) -> Value {
        let mut item = json!({
            "resourceShareInvitationArn": self.arn(), "resourceShareName": share.name,
            "resourceShareArn": share.arn(), "senderAccountId": self.sender, "receiverAccountId": self.receiver,
            "invitationTimestamp": self.changed, "status": self.status,
        });
        if let Some(arn) = &self.receiver_arn {
            item["receiverArn"] = json!(arn);
        }
        item
    }
}

impl World {
    pub(crate) fn share_of(&self, invitation: &Invitation) -> &Share {
        let share = self.shares.iter().find(|share| share.label == invitation.share);
        share.expect("shares are kept when they are no longer shown")
    }

    pub(crate) fn expire_invitations(&mut self) {
        for invitation in &mut self.invitations {
            if invitation.status != "PENDING" || invitation.deadline > self.now {
                continue;
            }
            (invitation.status, invitation.changed) = ("EXPIRED", invitation.deadline);
            let rows = self.shares.iter_mut().flat_map(|share| &mut share.rows);
            for row in rows.filter(|row| row.standing == Standing::Waits(invitation.label.clone())) {
                row.standing = Standing::Ended(invitation.deadline);
            }
        }
    }

    /// With the last principal goes the invitation: pending, it can no longer be answered; accepted, it is over.
    pub(crate) fn drop_invitations_nobody_stands_on(&mut self, at: usize) {
        let share = &self.shares[at];
        self.invitations.retain(|invitation| {
            invitation.share != share.label
                || !matches!(invitation.status, "PENDING" | "ACCEPTED")
                || share.live().any(|row| row.invitation() == Some(&invitation.label))
        });
    }

    /// The invitation that is named, if the caller received it here and it is shown.
    fn received(&self, who: Caller<'_>, input: &Value) -> Option<usize> {
        let arn = text(input, "resourceShareInvitationArn");
        self.invitations.iter().position(|invitation| {
            invitation.arn() == arn
                && invitation.receiver == who.account
                && invitation.region == who.region
                && invitation.is_shown(self.now)
        })
    }

    fn why_closed(status: &str) -> Option<&'static str> {
        match status {
            "ACCEPTED" => Some("ResourceShareInvitationAlreadyAccepted"),
            "REJECTED" => Some("ResourceShareInvitationAlreadyRejected"),
            "EXPIRED" => Some("ResourceShareInvitationExpired"),
            _ => None,
        }
    }

    pub(crate) fn answer_invitation(&mut self, who: Caller<'_>, input: &Value, accepts: bool) -> Answer {
        let Some(at) = self.received(who, input) else {
            return refused("ResourceShareInvitationArnNotFound");
        };
        if let Some(code) = Self::why_closed(self.invitations[at].status) {
            return refused(code);
        }
        let invitation = &mut self.invitations[at];
        invitation.status = if accepts { "ACCEPTED" } else { "REJECTED" };
        invitation.changed = self.now;
        let label = invitation.label.clone();
        for row in self.shares.iter_mut().flat_map(|share| &mut share.rows) {
            if row.standing == Standing::Waits(label.clone()) {
                let granted = Standing::Granted(self.now, Some(label.clone()));
                row.standing = if accepts { granted } else { Standing::Ended(self.now) };
            }
        }
        let invitation = &self.invitations[at];
        Ok(json!({"resourceShareInvitation": invitation.shape(self.share_of(invitation))}))
    }

    pub(crate) fn get_resource_share_invitations(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let mine = |invitation: &&Invitation| {
            invitation.receiver == who.account
                && invitation.region == who.region
                && invitation.is_shown(self.now)
        };
        let mine: Vec<&Invitation> = self.invitations.iter().filter(mine).collect();
        let named = texts(input, "resourceShareInvitationArns");
        if named.iter().any(|arn| mine.iter().all(|invitation| invitation.arn() != *arn)) {
            return refused("ResourceShareInvitationArnNotFound");
        }
        let wanted = mine.iter().filter(|invitation| {
            allows(input, "resourceShareInvitationArns", &invitation.arn())
                && allows(input, "resourceShareArns", &self.share_of(invitation).arn())
        });
        let items: Vec<_> = wanted.map(|invitation| invitation.shape(self.share_of(invitation))).collect();
        Ok(json!({"resourceShareInvitations": items}))
    }

    /// Of what was accepted nothing is pending (reference §10.13, recommended).
    pub(crate) fn list_pending_invitation_resources(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        let Some(at) = self.received(who, input) else {
            return refused("ResourceShareInvitationArnNotFound");
        };
        let invitation = &self.invitations[at];
        match Self::why_closed(invitation.status) {
            Some("ResourceShareInvitationAlreadyAccepted") => Ok(json!({"resources": []})),
            Some(code) => refused(code),
            None => {
                let share = self.share_of(invitation);
                let rows = share.live().filter(|row| row.association_type() == "RESOURCE");
                let items: Vec<_> = rows.map(|row| resource_shape(share, row, true, self.moment())).collect();
                Ok(json!({"resources": items}))
            }
        }
    }
}
