//! What rampart's own operations need: an action on what is named.

use rampart_aws::query::parse_form;
use serde::Deserialize;

use super::{Ask, asks};
use crate::failure::Failure;
use crate::operations::Request;

/// On what an operation acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// No resource in particular.
    None,
    /// What this parameter of the query names.
    Query(&'static str),
    /// The resource that the body names.
    Body,
}

fn target(operation: &str) -> Option<Target> {
    Some(match operation {
        "DeleteOrganizationSharing" | "GetOrganizationSharing" | "GetSentInvitations" => Target::None,
        "DeleteResourcePolicy" | "GetResourcePolicy" => Target::Query("resourceArn"),
        "DeleteSentInvitations" => Target::Query("resourceShareInvitationArn"),
        "PutResourcePolicy" => Target::Body,
        _ => return None,
    })
}

/// Whether an operation has a line above.
#[cfg(test)]
pub(super) fn is_listed(operation: &str) -> bool {
    target(operation).is_some()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_arn: Option<String>,
}

pub(super) fn ask(request: &Request) -> Result<Ask, Failure> {
    let operation = request.call.operation;
    let named = match target(operation.name).unwrap_or(Target::None) {
        Target::None => None,
        Target::Query(name) => parse_form(request.query.as_bytes())?.get(name).map(str::to_owned),
        Target::Body => asks::body::<Input>(request)?.resource_arn,
    };
    Ok(Ask::new(operation, named.unwrap_or_else(|| "*".to_owned())))
}
