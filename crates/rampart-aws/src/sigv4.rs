//! AWS Signature Version 4: reading what a request claims, verifying it, and signing.
//!
//! [`parse`] reads the claim, the caller finds the key, [`Presented::verify`] decides. Works on the plain parts of
//! a request as they were received; knows no server, no key store and no clock. Only the symmetric algorithm and
//! the canonical form of all services but S3 are spoken: paths are normalised and encoded once more, bodies are
//! always part of what is signed.

mod canonical;
mod date;
mod error;
mod header_form;
mod key;
mod presented;
mod query_form;
pub mod sign;

pub use error::{ErrorKind, Missing, SignatureError};
pub use key::SigningKey;
pub use presented::{CredentialScope, Form, Presented};

/// How far, in seconds, a request's time may be from the server's, exactly this far included.
pub const CLOCK_SKEW_MAX_S: i64 = 300;

/// The longest validity of a presigned URL, in seconds: seven days.
pub const PRESIGNED_EXPIRES_MAX_S: u32 = 604_800;

/// The most headers that one signature may cover.
pub const SIGNED_HEADERS_MAX: usize = 128;

/// The most `X-Amz-*` parameters in the query of one presigned URL.
pub const AUTH_PARAMETERS_MAX: usize = 32;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";

/// The parts of a request that a signature covers, as received.
///
/// HTTP/2 has no `host` header: put the authority there under that name.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    /// The method, such as `POST`.
    pub method: &'a str,
    /// The path, neither decoded nor normalised.
    pub path: &'a str,
    /// The query without its `?`, not decoded; maybe empty.
    pub query: &'a str,
    /// Lower-case names and their values, in the order received; names may repeat.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The whole body.
    pub body: &'a [u8],
}

/// Reads what a request claims about its signature, without deciding whether it is true.
///
/// Nothing is claimed (`None`) when there is neither an `Authorization` header nor one of the query parameters
/// that make a presigned URL.
pub fn parse<'a>(parts: &RequestParts<'a>) -> Result<Option<Presented<'a>>, SignatureError> {
    let headers = header_form::AuthHeaders::collect(parts.headers)?;
    let parameters = query_form::AuthParameters::collect(parts.query)?;
    match (headers.authorization, parameters.is_signature()) {
        (None, false) => Ok(None),
        (Some(_), true) => Err(SignatureError::BothForms),
        (Some(authorization), false) => header_form::parse(authorization, &headers).map(Some),
        (None, true) => query_form::parse(&parameters, &headers).map(Some),
    }
}
