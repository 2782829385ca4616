//! The server from outside: every operation and every rule of the edge, over HTTP, on both stores.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails, in its helpers too")]

mod accept_resource_share_invitation;
mod associate_resource_share;
mod authentication;
mod client_tokens;
mod concurrency;
mod create_resource_share;
mod customer_permissions;
mod delete_resource_share;
mod empty_pages;
mod events;
mod get_resource_policies;
mod get_resource_share_associations;
mod get_resource_share_invitations;
mod get_resource_shares;
mod invocation_ids;
mod kept_counts;
mod leaving;
mod limits;
mod list_principals;
mod list_resource_types;
mod list_resources;
mod list_source_associations;
mod mutations;
mod one_invitation;
mod organization_sharing;
mod organizations;
mod own_api;
mod paging;
mod paging_across_shares;
mod permissions;
mod quotas;
mod regions;
mod reject_resource_share_invitation;
mod replace_permissions;
mod requests;
mod retention;
mod service_principals;
mod services;
mod settling;
mod sharing;
mod shutdown;
mod tag_resource;
mod update_resource_share;
mod visibility;
