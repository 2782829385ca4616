//! rampart's own operations on behalf of an account: what AWS has no call for. Each is signed for the service `rampart`.

use crate::operations::{Handler, Operation, Service, rampart};

const fn operation(
    name: &'static str,
    method: &'static str,
    paged: bool,
    errors: &'static [&'static str],
    handler: Handler,
) -> Operation {
    let (service, handler) = (Service::Rampart, Some(handler));
    Operation { service, name, method, client_token: false, paged, errors, handler }
}

const ON_POLICIES: &[&str] = &[
    "InvalidParameter",
    "InvalidPolicy",
    "MalformedArn",
    "MissingRequiredParameter",
    "ResourceArnNotFound",
    "ResourceShareLimitExceeded",
    "UnknownResource",
];

/// rampart's own operations.
pub static RAMPART: &[Operation] = &[
    operation(
        "DeleteOrganizationSharing",
        "DELETE",
        false,
        &["OperationNotPermitted"],
        rampart::organization_sharing::delete,
    ),
    operation("DeleteResourcePolicy", "DELETE", false, ON_POLICIES, rampart::resource_policies::delete),
    operation(
        "DeleteSentInvitations",
        "DELETE",
        false,
        &[
            "MalformedArn",
            "MissingRequiredParameter",
            "ResourceShareInvitationAlreadyAccepted",
            "ResourceShareInvitationAlreadyRejected",
            "ResourceShareInvitationArnNotFound",
            "ResourceShareInvitationExpired",
        ],
        rampart::sent_invitations::delete,
    ),
    operation("GetOrganizationSharing", "GET", false, &[], rampart::organization_sharing::get),
    operation("GetResourcePolicy", "GET", false, ON_POLICIES, rampart::resource_policies::get),
    operation(
        "GetSentInvitations",
        "GET",
        true,
        &["InvalidNextToken", "InvalidParameter"],
        rampart::sent_invitations::get,
    ),
    operation("PutResourcePolicy", "PUT", false, ON_POLICIES, rampart::resource_policies::put),
];
