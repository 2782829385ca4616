//! What each operation needs. A test walks the table of operations: one that has no line here is found.

use rampart_aws::rest_json::BodyError;

use super::{iam, organizations, ram, rampart};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::operations::{Operation, Request, Service};

/// One action on one resource, with the condition keys that only it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) action: String,
    /// An ARN, or `*` for an action that has no resource.
    pub(crate) resource: String,
    pub(crate) keys: Vec<(String, Vec<String>)>,
}

impl Ask {
    /// An operation's own action.
    pub(crate) fn new(operation: &Operation, resource: impl Into<String>) -> Self {
        Self::of(operation.service, operation.name, resource)
    }

    /// Another action.
    pub(crate) fn of(service: Service, action: &str, resource: impl Into<String>) -> Self {
        let action = format!("{}:{action}", service.name());
        Self { action, resource: resource.into(), keys: Vec::new() }
    }

    /// Adds a condition key. One without values is absent.
    pub(crate) fn with<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if !values.is_empty() {
            self.keys.push((key.to_owned(), values));
        }
        self
    }
}

/// Whose business it is to ask for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// Nobody's: everybody may.
    Nobody,
    /// The operation's own: what it asks depends on what it finds.
    Operation,
    /// One action, on no resource in particular.
    Anything,
    /// RAM's (reference §12.1).
    Ram,
    /// That of IAM's users and roles.
    Iam,
    /// Organizations'.
    Organizations,
    /// That of rampart's own.
    Rampart,
}

/// Whose business it is.
pub(crate) fn authority(operation: &Operation) -> Authority {
    match (operation.service, operation.name) {
        // AWS: both need no permission, and no policy can deny the first.
        (Service::Sts, "GetCallerIdentity" | "GetSessionToken") => Authority::Nobody,
        (Service::Sts, "AssumeRole") => Authority::Operation,
        (Service::Sts, _) => Authority::Anything,
        (Service::Ram, _) => Authority::Ram,
        (Service::Iam, _) => Authority::Iam,
        (Service::Organizations, _) => Authority::Organizations,
        (Service::Rampart, _) => Authority::Rampart,
    }
}

/// What a call asks for; all of it must be allowed.
pub(super) async fn of(app: &App, request: &Request) -> Result<Vec<Ask>, Failure> {
    let call: &Call = &request.call;
    match authority(call.operation) {
        Authority::Nobody | Authority::Operation => Ok(Vec::new()),
        Authority::Anything => Ok(vec![Ask::new(call.operation, "*")]),
        Authority::Ram => ram::asks(app, request).await,
        Authority::Iam => iam::asks(app, request).await,
        Authority::Organizations => organizations::asks(app, request).await,
        Authority::Rampart => Ok(vec![rampart::ask(request)?]),
    }
}

/// Reads a body as the operations do, so that what is asked for is what will be done.
pub(super) fn body<T: serde::de::DeserializeOwned>(request: &Request) -> Result<T, BodyError> {
    rampart_aws::rest_json::parse_body(&request.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_says_what_it_needs() {
        for operation in Operation::all() {
            let is_listed = match authority(operation) {
                Authority::Ram => ram::is_listed(operation.name),
                Authority::Iam => iam::is_listed(operation.name),
                Authority::Rampart => rampart::is_listed(operation.name),
                // Most of Organizations' act on the organization alone.
                Authority::Nobody | Authority::Operation | Authority::Anything | Authority::Organizations => {
                    true
                }
            };
            assert!(is_listed, "{} would be asked for on * alone", operation.name);
        }
    }

    #[test]
    fn few_operations_are_left_to_themselves() {
        let free =
            |operation: &&Operation| matches!(authority(operation), Authority::Nobody | Authority::Operation);
        let names: Vec<_> = Operation::all().filter(free).map(|operation| operation.name).collect();
        assert_eq!(names, ["AssumeRole", "GetCallerIdentity", "GetSessionToken"]);
    }
}
