//! Loads what an invitation offers.

use rampart_core::invitation::Offer;
use rampart_core::{AssociationKind, InvitationArn, ShareArn};
use rampart_store::{Reader, StoreError};

/// The invitation with its share and the association that waits for the answer. Two round trips.
pub(super) async fn load_offer(reader: &Reader, arn: InvitationArn) -> Result<Option<Offer>, StoreError> {
    let Some(invitation) = reader.invitation(arn).await? else { return Ok(None) };
    let share_arn = ShareArn { owner: invitation.sender, region: invitation.region, id: invitation.share };
    let entity = invitation.receiver_arn.as_deref().unwrap_or(invitation.receiver.as_str());
    let share = reader.resource_share(share_arn);
    let association = reader.association(share_arn, AssociationKind::Principal, entity);
    let (share, association) = futures_util::future::try_join(share, association).await?;
    Ok(share.zip(association).map(|(share, association)| Offer { invitation, share, association }))
}
