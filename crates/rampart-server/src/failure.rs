//! Every way a request can fail, and the one table that gives each its AWS code, HTTP status and text.
//!
//! Codes and texts are of the behaviour reference §10.36 and §11. Where AWS's text is unknown, ours follows the style
//! of the known ones.

use rampart_aws::query::FormError;
use rampart_aws::rest_json::BodyError;
use rampart_aws::sigv4::{ErrorKind, SignatureError};
use rampart_core::iam::IamRefusal;
use rampart_core::{OrganizationRefusal, Refusal};
use rampart_store::{Abort, StoreError};

use crate::operations::Operation;

mod iam_texts;
mod texts;

/// Why a request is not answered with a result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The rules of sharing refuse it.
    Refused(Refusal),
    /// The store failed.
    Store(StoreError),
    /// Open mode: a web page sent it.
    FromAPage,
    /// There is no signature.
    Unsigned,
    /// The signature is refused.
    Signature(SignatureError),
    /// The key is unknown, disabled, or used with a session token that nobody issued.
    UnknownKey,
    /// The session's time is up.
    SessionExpired,
    /// The caller's policies do not allow it; what is said to them.
    Denied(String),
    /// The Region in the credential scope is no Region.
    RegionMalformed(String),
    /// A service that is not spoken here.
    UnknownService(String),
    /// No operation has this method and path, or this action.
    UnknownOperation(String),
    /// An operation of the model that has no code yet.
    NotBuilt(&'static str),
    /// The body is not what the operation takes.
    Body(BodyError),
    /// A form or a query string that cannot be read.
    Form(FormError),
    /// The body exceeds the limit.
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The bodies of other requests fill the memory that there is for them.
    BuffersFull,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body broke off.
    BodyBroken,
    /// A bug.
    Internal,
}

/// What goes on the wire of a failure, whatever the protocol.
pub(crate) struct WireError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Organizations: which rule, as a word.
    pub(crate) reason: Option<&'static str>,
    /// Seconds to wait before trying again.
    pub(crate) retry_after_s: Option<u32>,
}

impl WireError {
    fn new(status: u16, code: &'static str, message: String) -> Self {
        Self { status, code, message, reason: None, retry_after_s: None }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OrganizationRefusal> for Failure {
    fn from(refusal: OrganizationRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<IamRefusal> for Failure {
    fn from(refusal: IamRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Abort> for Failure {
    fn from(abort: Abort) -> Self {
        match abort {
            Abort::Refused(refusal) => Self::Refused(refusal),
            Abort::Store(error) => Self::Store(error),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

/// Which family of common error codes a service uses (reference §11.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// RAM behind its API gateway: codes end in `Exception`.
    RestJson,
    /// awsJson1.1: the same codes, named in the body too.
    Json,
    /// The Query services: the older names.
    Query {
        /// The XML namespace of their answers.
        namespace: &'static str,
    },
}

impl Dialect {
    /// The code of what the JSON services call `json`, and the older ones `query`.
    fn named(self, json: &'static str, query: &'static str) -> &'static str {
        if matches!(self, Self::Query { .. }) { query } else { json }
    }
}

impl Failure {
    /// What an operator is told, who may know more than the caller, who was told `wire`.
    pub(crate) fn for_the_log(&self, wire: &WireError) -> String {
        match self {
            Self::Store(error) => error.to_string(),
            Self::BuffersFull => {
                "the bodies of other requests fill the memory that there is for them".to_owned()
            }
            _ => wire.message.clone(),
        }
    }

    /// The wire's form. `operation` decides among codes that only some operations model.
    pub(crate) fn to_wire(&self, dialect: Dialect, operation: Option<&Operation>) -> WireError {
        let mut wire = self.in_dialect(dialect, operation);
        // AWS: awsJson1.1 answers who may not call with 400, too (DynamoDB's and Organizations' common errors).
        if dialect == Dialect::Json && wire.status == 403 {
            wire.status = 400;
        }
        wire
    }

    fn in_dialect(&self, dialect: Dialect, operation: Option<&Operation>) -> WireError {
        let wire = WireError::new;
        let named = |json, query| dialect.named(json, query);
        match self {
            Self::Refused(Refusal::Organization(refusal)) => {
                let (code, reason, message) = texts::organizations::of(refusal);
                WireError { reason, ..wire(400, code, message) }
            }
            Self::Refused(Refusal::Iam(refusal)) if matches!(dialect, Dialect::Query { .. }) => {
                let (status, code, message) = iam_texts::of(refusal);
                wire(status, code, message)
            }
            Self::Refused(refusal) => {
                let (codes, message) = texts::of(refusal);
                let code = codes.iter().find(|code| operation.is_none_or(|o| o.models(code)));
                let code = code.or(codes.first()).copied().unwrap_or("InvalidParameterException");
                // AWS: all of RAM's own are 400 but this one (reference §11.2).
                wire(if code == "PermissionAlreadyExistsException" { 409 } else { 400 }, code, message)
            }
            Self::Store(error) => of_store(error, dialect),
            Self::Unsigned => {
                let code = named("MissingAuthenticationTokenException", "MissingAuthenticationToken");
                wire(403, code, "Missing Authentication Token".to_owned())
            }
            Self::FromAPage => {
                let message =
                    "In open mode a web page may not call. Use --auth strict to be called by pages."
                        .to_owned();
                wire(403, named("AccessDeniedException", "AccessDenied"), message)
            }
            Self::Signature(error) => of_signature(error, dialect),
            Self::UnknownKey => {
                let message = "The security token included in the request is invalid.".to_owned();
                wire(403, named("UnrecognizedClientException", "InvalidClientTokenId"), message)
            }
            Self::SessionExpired => {
                let message = "The security token included in the request is expired".to_owned();
                wire(403, named("ExpiredTokenException", "ExpiredToken"), message)
            }
            Self::Denied(message) => {
                wire(403, named("AccessDeniedException", "AccessDenied"), message.clone())
            }
            Self::RegionMalformed(region) => {
                let message = format!("Credential should be scoped to a valid region, not '{region}'.");
                wire(403, named("InvalidSignatureException", "SignatureDoesNotMatch"), message)
            }
            Self::UnknownService(service) => {
                let message = format!(
                    "rampart does not speak '{service}'. It speaks ram, sts, iam, organizations and rampart."
                );
                wire(400, named("UnknownOperationException", "InvalidAction"), message)
            }
            // AWS: what is behind an API gateway answers an unknown path like a missing token (reference §11.3).
            Self::UnknownOperation(what) => match dialect {
                Dialect::RestJson => {
                    let message = format!("Missing Authentication Token: {what} is no operation of RAM.");
                    wire(403, "MissingAuthenticationTokenException", message)
                }
                Dialect::Json => wire(
                    400,
                    "UnknownOperationException",
                    format!("{what} is no operation of Organizations."),
                ),
                Dialect::Query { .. } => {
                    wire(400, "InvalidAction", format!("{what} is not valid for this endpoint."))
                }
            },
            Self::NotBuilt(name) => {
                let message = format!("rampart does not answer {name} yet. README.md lists what works.");
                wire(400, named("UnsupportedOperationException", "InvalidAction"), message)
            }
            Self::Body(error) => wire(400, "SerializationException", error.to_string()),
            Self::Form(error) => {
                wire(400, named("SerializationException", "MalformedQueryString"), error.to_string())
            }
            Self::BodyTooLarge { bytes_max } => {
                let message = format!("The request is larger than {bytes_max} bytes.");
                wire(413, named("RequestEntityTooLargeException", "RequestEntityTooLarge"), message)
            }
            Self::BuffersFull => unavailable(dialect),
            Self::BodyTimeout => {
                let message = "The request's body did not arrive in time.".to_owned();
                wire(408, named("RequestTimeoutException", "RequestTimeout"), message)
            }
            Self::BodyBroken => {
                let message = "The request's body broke off or is not framed as HTTP wants it.".to_owned();
                wire(400, named("SerializationException", "MalformedInput"), message)
            }
            Self::Internal => {
                let message = "An internal error has occurred. Retry your query later.".to_owned();
                wire(500, named("ServerInternalException", "InternalFailure"), message)
            }
        }
    }
}

fn unavailable(dialect: Dialect) -> WireError {
    let code = dialect.named("ServiceUnavailableException", "ServiceUnavailable");
    let message = "The service is not available. Try again later.".to_owned();
    WireError { retry_after_s: Some(1), ..WireError::new(503, code, message) }
}

fn of_store(error: &StoreError, dialect: Dialect) -> WireError {
    if error.is_unavailable() { unavailable(dialect) } else { Failure::Internal.to_wire(dialect, None) }
}

fn of_signature(error: &SignatureError, dialect: Dialect) -> WireError {
    let code = match error.code() {
        ErrorKind::IncompleteSignature => {
            dialect.named("IncompleteSignatureException", "IncompleteSignature")
        }
        _ => dialect.named("InvalidSignatureException", "SignatureDoesNotMatch"),
    };
    // AWS: malformed is 403 behind an API gateway and 400 elsewhere (reference §11.3).
    WireError::new(if code == "IncompleteSignature" { 400 } else { 403 }, code, error.to_string())
}
