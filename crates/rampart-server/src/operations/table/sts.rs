//! The operations of STS.

use crate::operations::{Operation, Service, sts};

/// The operations of STS that have a place here.
pub static STS: &[Operation] = &[
    Operation {
        service: Service::Sts,
        name: "AssumeRole",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &[
            "ExpiredTokenException",
            "MalformedPolicyDocument",
            "PackedPolicyTooLarge",
            "RegionDisabledException",
        ],
        handler: Some(sts::assume_role::handle),
    },
    Operation {
        service: Service::Sts,
        name: "GetAccessKeyInfo",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &[],
        handler: Some(sts::get_access_key_info::handle),
    },
    Operation {
        service: Service::Sts,
        name: "GetCallerIdentity",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &[],
        handler: Some(sts::get_caller_identity::handle),
    },
    Operation {
        service: Service::Sts,
        name: "GetSessionToken",
        method: "POST",
        client_token: false,
        paged: false,
        errors: &["RegionDisabledException"],
        handler: Some(sts::get_session_token::handle),
    },
];
