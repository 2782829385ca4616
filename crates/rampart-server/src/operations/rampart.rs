//! rampart's own operations on behalf of an account.

pub(crate) mod organization_sharing;
pub(crate) mod resource_policies;
pub(crate) mod sent_invitations;
