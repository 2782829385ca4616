//! The server from outside: every operation and every rule of the edge, over HTTP, on both stores.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails, in its helpers too")]

mod accept_resource_share_invitation;
mod associate_resource_share;
mod authentication;
mod concurrency;
mod create_resource_share;
mod delete_resource_share;
mod events;
mod get_resource_share_associations;
mod get_resource_share_invitations;
mod get_resource_shares;
mod kept_counts;
mod leaving;
mod limits;
mod mutations;
mod one_invitation;
mod own_api;
mod paging;
mod reject_resource_share_invitation;
mod requests;
mod retention;
mod settling;
mod sharing;
mod shutdown;
