//! The table of all operations. Router, README's table, `rampart operations` and the coverage tests read it; no other
//! list of operations exists.

pub mod ram;
pub mod sts;

use crate::app::Call;
use crate::failure::Failure;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::app::App;

/// What an operation is given: the call, and its input as it came.
pub(crate) struct Request {
    /// Who calls what, and when.
    pub(crate) call: Call,
    /// The body, whole.
    pub(crate) body: bytes::Bytes,
    /// The query string, for operations whose parameters stand there.
    pub(crate) query: String,
}

/// The body of a successful answer, or why there is none.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>;

/// An operation's code.
pub(crate) type Handler = fn(Arc<App>, Request) -> Answer;

/// One operation of RAM.
pub struct Operation {
    /// Its name as the model spells it. The path is the name in lower case, the IAM action `ram:` and the name.
    pub name: &'static str,
    /// `POST` or `DELETE`.
    pub method: &'static str,
    /// Whether it takes a client token, so that asking twice changes things once.
    pub client_token: bool,
    /// Whether it answers in pages.
    pub paged: bool,
    /// The errors that the model lists for it, without the `Exception` at the end and without the two that every
    /// operation has (ServerInternal, ServiceUnavailable).
    pub errors: &'static [&'static str],
    /// Its code; none for what is not built yet.
    pub(crate) handler: Option<Handler>,
}

impl Operation {
    /// Whether it answers here.
    pub fn is_built(&self) -> bool {
        self.handler.is_some()
    }

    /// The path that it is called by.
    pub fn path(&self) -> String {
        format!("/{}", self.name.to_ascii_lowercase())
    }

    /// Whether the model lists this error code for it.
    pub(crate) fn models(&self, code: &str) -> bool {
        let name = code.strip_suffix("Exception").unwrap_or(code);
        self.errors.contains(&name) || matches!(name, "ServerInternal" | "ServiceUnavailable")
    }
}

/// The operations of AWS RAM.
pub static RAM: &[Operation] = &[
    Operation {
        name: "AcceptResourceShareInvitation",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "MalformedArn",
            "OperationNotPermitted",
            "ResourceShareInvitationAlreadyAccepted",
            "ResourceShareInvitationAlreadyRejected",
            "ResourceShareInvitationArnNotFound",
            "ResourceShareInvitationExpired",
        ],
        handler: Some(ram::accept_resource_share_invitation::handle),
    },
    Operation {
        name: "AssociateResourceShare",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "OperationNotPermitted",
            "ResourceShareLimitExceeded",
            "Throttling",
            "UnknownResource",
        ],
        handler: Some(ram::associate_resource_share::handle),
    },
    Operation {
        name: "AssociateResourceSharePermission",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::associate_resource_share_permission::handle),
    },
    Operation {
        name: "CreatePermission",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidPolicy",
            "MalformedPolicyTemplate",
            "OperationNotPermitted",
            "PermissionAlreadyExists",
            "PermissionLimitExceeded",
        ],
        handler: None,
    },
    Operation {
        name: "CreatePermissionVersion",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidPolicy",
            "MalformedArn",
            "MalformedPolicyTemplate",
            "OperationNotPermitted",
            "PermissionVersionsLimitExceeded",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "CreateResourceShare",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "OperationNotPermitted",
            "ResourceShareLimitExceeded",
            "TagLimitExceeded",
            "TagPolicyViolation",
            "Throttling",
            "UnknownResource",
        ],
        handler: Some(ram::create_resource_share::handle),
    },
    Operation {
        name: "DeletePermission",
        method: "DELETE",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "DeletePermissionVersion",
        method: "DELETE",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "DeleteResourceShare",
        method: "DELETE",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "OperationNotPermitted",
            "Throttling",
            "UnknownResource",
        ],
        handler: Some(ram::delete_resource_share::handle),
    },
    Operation {
        name: "DisassociateResourceShare",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "OperationNotPermitted",
            "ResourceShareLimitExceeded",
            "Throttling",
            "UnknownResource",
        ],
        handler: Some(ram::disassociate_resource_share::handle),
    },
    Operation {
        name: "DisassociateResourceSharePermission",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "InvalidClientToken",
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::disassociate_resource_share_permission::handle),
    },
    Operation {
        name: "EnableSharingWithAwsOrganization",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &["OperationNotPermitted"],
        handler: None,
    },
    Operation {
        name: "GetPermission",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &["InvalidParameter", "MalformedArn", "OperationNotPermitted", "UnknownResource"],
        handler: Some(ram::get_permission::handle),
    },
    Operation {
        name: "GetResourcePolicies",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "MalformedArn", "ResourceArnNotFound"],
        handler: Some(ram::get_resource_policies::handle),
    },
    Operation {
        name: "GetResourceShareAssociations",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidNextToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::get_resource_share_associations::handle),
    },
    Operation {
        name: "GetResourceShareInvitations",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidMaxResults",
            "InvalidNextToken",
            "InvalidParameter",
            "MalformedArn",
            "ResourceShareInvitationArnNotFound",
            "UnknownResource",
        ],
        handler: Some(ram::get_resource_share_invitations::handle),
    },
    Operation {
        name: "GetResourceShares",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "MalformedArn", "UnknownResource"],
        handler: Some(ram::get_resource_shares::handle),
    },
    Operation {
        name: "ListPendingInvitationResources",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidNextToken",
            "InvalidParameter",
            "MalformedArn",
            "MissingRequiredParameter",
            "ResourceShareInvitationAlreadyRejected",
            "ResourceShareInvitationArnNotFound",
            "ResourceShareInvitationExpired",
        ],
        handler: Some(ram::list_pending_invitation_resources::handle),
    },
    Operation {
        name: "ListPermissionAssociations",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "MalformedArn"],
        handler: Some(ram::list_permission_associations::handle),
    },
    Operation {
        name: "ListPermissionVersions",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidNextToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::list_permission_versions::handle),
    },
    Operation {
        name: "ListPermissions",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "OperationNotPermitted"],
        handler: Some(ram::list_permissions::handle),
    },
    Operation {
        name: "ListPrincipals",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "MalformedArn", "UnknownResource"],
        handler: Some(ram::list_principals::handle),
    },
    Operation {
        name: "ListReplacePermissionAssociationsWork",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter"],
        handler: None,
    },
    Operation {
        name: "ListResourceSharePermissions",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidNextToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::list_resource_share_permissions::handle),
    },
    Operation {
        name: "ListResourceTypes",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter"],
        handler: Some(ram::list_resource_types::handle),
    },
    Operation {
        name: "ListResources",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &[
            "InvalidNextToken",
            "InvalidParameter",
            "InvalidResourceType",
            "MalformedArn",
            "UnknownResource",
        ],
        handler: Some(ram::list_resources::handle),
    },
    Operation {
        name: "ListSourceAssociations",
        method: "POST",
        client_token: false,
        paged: true,
        errors: &["InvalidNextToken", "InvalidParameter", "MalformedArn", "UnknownResource"],
        handler: Some(ram::list_source_associations::handle),
    },
    Operation {
        name: "PromotePermissionCreatedFromPolicy",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "InvalidParameter",
            "InvalidPolicy",
            "MalformedArn",
            "MissingRequiredParameter",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "PromoteResourceShareCreatedFromPolicy",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &[
            "InvalidParameter",
            "InvalidStateTransition",
            "MalformedArn",
            "MissingRequiredParameter",
            "OperationNotPermitted",
            "ResourceShareLimitExceeded",
            "UnknownResource",
            "UnmatchedPolicyPermission",
        ],
        handler: None,
    },
    Operation {
        name: "RejectResourceShareInvitation",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "MalformedArn",
            "OperationNotPermitted",
            "ResourceShareInvitationAlreadyAccepted",
            "ResourceShareInvitationAlreadyRejected",
            "ResourceShareInvitationArnNotFound",
            "ResourceShareInvitationExpired",
        ],
        handler: Some(ram::reject_resource_share_invitation::handle),
    },
    Operation {
        name: "ReplacePermissionAssociations",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "SetDefaultPermissionVersion",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "TagResource",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &[
            "InvalidParameter",
            "MalformedArn",
            "ResourceArnNotFound",
            "TagLimitExceeded",
            "TagPolicyViolation",
            "UnknownResource",
        ],
        handler: Some(ram::tag_resource::handle),
    },
    Operation {
        name: "UntagResource",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &["InvalidParameter", "MalformedArn", "UnknownResource"],
        handler: Some(ram::untag_resource::handle),
    },
    Operation {
        name: "UpdatePermission",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "OperationNotPermitted",
            "PermissionLimitExceeded",
            "UnknownResource",
        ],
        handler: None,
    },
    Operation {
        name: "UpdateResourceShare",
        method: "POST",
        client_token: true,
        paged: false,
        errors: &[
            "IdempotentParameterMismatch",
            "InvalidClientToken",
            "InvalidParameter",
            "MalformedArn",
            "MissingRequiredParameter",
            "OperationNotPermitted",
            "UnknownResource",
        ],
        handler: Some(ram::update_resource_share::handle),
    },
];
