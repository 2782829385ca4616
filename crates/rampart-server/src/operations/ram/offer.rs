//! Loads what an invitation offers.

use futures_util::future::try_join3;
use rampart_core::invitation::{Found, Offer};
use rampart_core::{InvitationArn, ShareArn};
use rampart_store::{Reader, StoreError};

/// The invitation with its share, the associations that stand on it, and the sender's use of its quotas. Two round
/// trips.
pub(crate) async fn load_offer(reader: &Reader, arn: InvitationArn) -> Result<Option<Found>, StoreError> {
    let Some(invitation) = reader.invitation(arn).await? else { return Ok(None) };
    let share_arn = ShareArn { owner: invitation.sender, region: invitation.region, id: invitation.share };
    let share = reader.resource_share(share_arn);
    let associations = reader.associations_of_receiver(share_arn, invitation.receiver.as_str());
    let usage = reader.owner_usage(invitation.sender, invitation.region);
    let (share, mut associations, usage) = try_join3(share, associations, usage).await?;
    associations.retain(|row| row.invitation() == Some(invitation.id));
    Ok(Some(match share {
        Some(share) => Found::Offer(Box::new(Offer { invitation, share, associations, usage })),
        None => Found::Alone(invitation),
    }))
}
