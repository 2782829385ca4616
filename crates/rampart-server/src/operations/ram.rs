//! The operations of RAM, a file each. They look alike on purpose: the wire's shapes, then load, decide, apply, render.

pub(crate) mod accept_resource_share_invitation;
pub(crate) mod associate_resource_share;
pub(crate) mod create_resource_share;
pub(crate) mod delete_resource_share;
pub(crate) mod disassociate_resource_share;
pub(crate) mod get_resource_share_associations;
pub(crate) mod get_resource_share_invitations;
pub(crate) mod get_resource_shares;
pub(crate) mod list_pending_invitation_resources;
pub(crate) mod reject_resource_share_invitation;

mod answering;
mod entities;
mod input;
mod offer;
mod shapes;
