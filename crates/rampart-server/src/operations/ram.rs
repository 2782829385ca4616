//! The operations of RAM, a file each. They look alike on purpose: the wire's shapes, then load, decide, apply, render.

pub(crate) mod accept_resource_share_invitation;
pub(crate) mod associate_resource_share;
pub(crate) mod associate_resource_share_permission;
pub(crate) mod create_resource_share;
pub(crate) mod delete_resource_share;
pub(crate) mod disassociate_resource_share;
pub(crate) mod disassociate_resource_share_permission;
pub(crate) mod get_permission;
pub(crate) mod get_resource_policies;
pub(crate) mod get_resource_share_associations;
pub(crate) mod get_resource_share_invitations;
pub(crate) mod get_resource_shares;
pub(crate) mod list_pending_invitation_resources;
pub(crate) mod list_permission_associations;
pub(crate) mod list_permission_versions;
pub(crate) mod list_permissions;
pub(crate) mod list_principals;
pub(crate) mod list_resource_share_permissions;
pub(crate) mod list_resource_types;
pub(crate) mod list_resources;
pub(crate) mod list_source_associations;
pub(crate) mod reject_resource_share_invitation;
pub(crate) mod tag_resource;
pub(crate) mod untag_resource;
pub(crate) mod update_resource_share;

mod answering;
mod contents_of;
mod entities;
mod input;
pub(crate) mod offer;
mod permission_shapes;
mod permission_text;
mod resource_grants;
mod shapes;
mod visible;
