//! Taking principals and resources out of a share: the owner's removal, and the consumer's leaving (reference §5.5,
//! §10.6).

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;

use crate::associate::Outcome;
use crate::association::{Association, AssociationStatus, Standing};
use crate::resource_share::ResourceShare;
use crate::timing::Timing;
use crate::{Change, Decision, Refusal};

/// Removes what the owner names. `named` pairs each entity of the call with the share's row for it.
// AWS: a pending principal can be removed, which takes its invitation back (reference §10.6, inferred).
pub fn decide_disassociate(
    share: &ResourceShare,
    named: Vec<(&str, Option<Association>)>,
    now: TimestampMs,
    timing: &Timing,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    if share.deleted.is_some() {
        // AWS: not InvalidStateTransition: a client that removes what is gone must be able to go on (clients §2).
        return Err(Refusal::ShareNotFound { share: share.arn() });
    }
    let mut changes = Vec::new();
    let mut outcomes = Vec::new();
    let mut contents = share.contents;
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
        contents.remove(&row);
        changes.extend(end(&row, now));
        outcomes.push(Outcome { association: row, status: AssociationStatus::Disassociating });
    }
    if contents != share.contents {
        changes.insert(0, Change::ShareStored(ResourceShare { contents, ..share.clone() }));
    }
    Ok(Decision { changes, reply: outcomes })
}

/// Lets `caller`, an account that was invited and accepted, leave.
// AWS: only directly invited accounts, and only shares that are empty or hold the types with the long invitation
// (reference §5.5).
pub fn decide_leave(
    share: &ResourceShare,
    caller: AccountId,
    row: Option<Association>,
    now: TimestampMs,
) -> Result<Decision<Vec<Outcome>>, Refusal> {
    let row = row
        .filter(|row| share.deleted.is_none() && row.entity == caller.as_str())
        .filter(|row| matches!(row.standing, Standing::Granted { .. }))
        .ok_or(Refusal::ShareNotFound { share: share.arn() })?;
    let invited = matches!(row.standing, Standing::Granted { invitation: Some(_), .. });
    if !invited || share.contents.short_invitation_resources > 0 {
        return Err(Refusal::LeaveNotPermitted { share: share.arn() });
    }
    let mut contents = share.contents;
    contents.remove(&row);
    let mut changes = vec![Change::ShareStored(ResourceShare { contents, ..share.clone() })];
    changes.extend(end(&row, now));
    Ok(Decision {
        changes,
        reply: vec![Outcome { association: row, status: AssociationStatus::Disassociating }],
    })
}

/// Ends an association and drops the invitation it stood on: pending, it can no longer be answered; accepted, it has
/// lived as long as its association.
fn end(row: &Association, now: TimestampMs) -> impl Iterator<Item = Change> {
    let invitation = match row.standing {
        Standing::Invited { invitation, .. } => Some(invitation),
        Standing::Granted { invitation, .. } => invitation,
        Standing::Ended { .. } => None,
    };
    let ended = Association { standing: Standing::Ended { at: now }, ..row.clone() };
    let dropped = invitation.map(|invitation| Change::InvitationDropped {
        sender: row.owner,
        region: row.region,
        invitation,
    });
    std::iter::once(Change::AssociationStored(ended)).chain(dropped)
}
