//! The operations of STS.

use crate::operations::{Operation, Service, sts};

/// The operations of STS that have a place here.
pub static STS: &[Operation] = &[Operation {
    service: Service::Sts,
    name: "GetCallerIdentity",
    method: "POST",
    client_token: false,
    paged: false,
    errors: &[],
    handler: Some(sts::get_caller_identity::handle),
}];
