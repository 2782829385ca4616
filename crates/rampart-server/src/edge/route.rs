//! Which operation a request is for.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::request::Parts;
use rampart_aws::query::Form;

use crate::failure::Failure;
use crate::operations::{ORGANIZATIONS_TARGET, Operation, Service};

/// What is repeated of a name that nobody knows.
const REPEATED_CHARS_MAX: usize = 64;

/// The operation of `service` that a request is for: RAM and rampart tell theirs apart by method and path, the services
/// that are spoken in forms by `Action`, Organizations by `X-Amz-Target`.
pub(super) fn operation_of(
    service: Service,
    head: &Parts,
    form: &Form,
) -> Result<&'static Operation, Failure> {
    match service {
        Service::Ram => {
            let path = head.uri.path();
            if is_signed(path) {
                return operation_of(Service::Rampart, head, form);
            }
            let operation = at(service, path).filter(|operation| operation.method == head.method.as_str());
            operation.ok_or_else(|| unknown(&format!("{} {path}", head.method)))
        }
        // Who signs for RAM gets what stands beside it, too.
        Service::Rampart => {
            let called_by = format!("{} {}", head.method, head.uri.path());
            at(service, &called_by).ok_or_else(|| unknown(&called_by))
        }
        Service::Sts | Service::Iam => {
            let action = form.action().ok_or_else(|| unknown("a request without an Action"))?;
            at(service, action).ok_or_else(|| unknown(action))
        }
        Service::Organizations => {
            let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
            let target = target.ok_or_else(|| unknown("a request without an X-Amz-Target"))?;
            let name = target.strip_prefix(ORGANIZATIONS_TARGET).and_then(|rest| rest.strip_prefix('.'));
            name.and_then(|name| at(service, name)).ok_or_else(|| unknown(target))
        }
    }
}

/// The operation that a head names, as far as a head can: of the service that signed for it, or of those that are told
/// apart without. What is spoken in forms tells its operation in the body.
pub(super) fn operation_of_head(service: Option<Service>, head: &Parts) -> Option<&'static Operation> {
    let service = service.unwrap_or_else(|| {
        if head.headers.contains_key("x-amz-target") { Service::Organizations } else { Service::Ram }
    });
    operation_of(service, head, &Form::default()).ok()
}

/// Whether a path of rampart's own API is for whom a signature names.
pub(super) fn is_signed(path: &str) -> bool {
    static SIGNED: LazyLock<Vec<String>> =
        LazyLock::new(|| Service::Rampart.operations().iter().map(Operation::path).collect());
    SIGNED.iter().any(|signed| signed == path)
}

/// The operation that is called by this path, or by this name.
fn at(service: Service, called_by: &str) -> Option<&'static Operation> {
    type ByCall = HashMap<String, &'static Operation>;
    static ALL: LazyLock<HashMap<Service, ByCall>> = LazyLock::new(|| {
        let called_by = |operation: &Operation| match operation.service {
            Service::Ram => operation.path(),
            Service::Rampart => format!("{} {}", operation.method, operation.path()),
            Service::Sts | Service::Iam | Service::Organizations => operation.name.to_owned(),
        };
        let of_service = |service: Service| {
            service.operations().iter().map(|operation| (called_by(operation), operation)).collect()
        };
        Service::ALL.into_iter().map(|service| (service, of_service(service))).collect()
    });
    ALL.get(&service)?.get(called_by).copied()
}

fn unknown(what: &str) -> Failure {
    Failure::UnknownOperation(what.chars().take(REPEATED_CHARS_MAX).collect())
}
