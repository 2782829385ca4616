//! The operations, and the table of them. Router, README's tables, `rampart operations`, the authorizer and the coverage
//! tests read the table; no other list of operations exists.

pub mod iam;
pub mod organizations;
pub mod ram;
mod rampart;
mod service;
pub mod sts;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rampart_aws::query::Form;

pub(crate) use self::service::ORGANIZATIONS_TARGET;
pub use self::service::Service;
pub use self::table::{IAM, ORGANIZATIONS, RAM, RAMPART, STS};
use crate::app::{App, Call};
use crate::failure::Failure;

/// What an operation is given: the call, and its input as it came.
pub(crate) struct Request {
    /// Who calls what, and when.
    pub(crate) call: Call,
    /// The body, whole.
    pub(crate) body: bytes::Bytes,
    /// The query string, for operations of RAM whose parameters stand there.
    pub(crate) query: String,
    /// The parameters, for services that are spoken in forms; empty for others.
    pub(crate) form: Form,
}

/// The body of a successful answer, or why there is none.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>;

/// An operation's code.
pub(crate) type Handler = fn(Arc<App>, Request) -> Answer;

/// One operation of a service.
pub struct Operation {
    /// Whose operation it is.
    pub service: Service,
    /// Its name as the model spells it. The IAM action is the service's name, a colon and this.
    pub name: &'static str,
    /// `POST` or `DELETE`; for rampart's own `GET` and `PUT`, too.
    pub method: &'static str,
    /// Whether it takes a client token, so that asking twice changes things once.
    pub client_token: bool,
    /// Whether it answers in pages.
    pub paged: bool,
    /// The errors that the model lists for it, without the `Exception` at the end, and for RAM without the two that
    /// every operation has (ServerInternal, ServiceUnavailable).
    pub errors: &'static [&'static str],
    /// Its code; none for what is not built yet.
    pub(crate) handler: Option<Handler>,
}

impl Operation {
    /// The operations of all services.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        Service::ALL.into_iter().flat_map(Service::operations)
    }

    /// Whether it answers here.
    pub fn is_built(&self) -> bool {
        self.handler.is_some()
    }

    /// Whether it only looks: then nothing is another way afterwards.
    pub(crate) fn only_reads(&self) -> bool {
        ["Describe", "Get", "List"].iter().any(|verb| self.name.starts_with(verb))
    }

    /// The path that it is called by: RAM's are told apart by it, the others' by what else they carry.
    pub fn path(&self) -> String {
        match self.service {
            Service::Ram => format!("/{}", self.name.to_ascii_lowercase()),
            Service::Sts | Service::Iam | Service::Organizations => "/".to_owned(),
            Service::Rampart => own_path(self.name),
        }
    }

    /// The codes that the model lists for it, as they stand on the wire.
    pub fn codes(&self) -> impl Iterator<Item = String> {
        let suffix = match self.service {
            Service::Ram | Service::Organizations | Service::Rampart => "Exception",
            Service::Sts | Service::Iam => "",
        };
        self.errors.iter().map(move |name| format!("{name}{suffix}"))
    }

    /// Whether the model lists this error code for it.
    pub(crate) fn models(&self, code: &str) -> bool {
        let name = code.strip_suffix("Exception").unwrap_or(code);
        self.errors.contains(&name) || matches!(name, "ServerInternal" | "ServiceUnavailable")
    }
}

/// Where an operation of rampart's own API is: `/rampart/v1/organization-sharing` for `GetOrganizationSharing`, as the method
/// says the verb; `/rampart/v1/resource-policies` for `PutResourcePolicy`, one of many.
fn own_path(name: &str) -> String {
    let noun = ["Delete", "Get", "Put"].iter().find_map(|verb| name.strip_prefix(verb)).unwrap_or(name);
    let mut path = "/rampart/v1".to_owned();
    for (at, letter) in noun.char_indices() {
        if letter.is_ascii_uppercase() {
            path.push(if at == 0 { '/' } else { '-' });
        }
        path.push(letter.to_ascii_lowercase());
    }
    match path.strip_suffix('y') {
        Some(one) => format!("{one}ies"),
        None => path,
    }
}
