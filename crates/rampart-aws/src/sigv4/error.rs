//! Why a signature is refused, in sentences close to AWS's.

use std::fmt;

use super::date::BasicTime;

/// Why a request's signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Parts that a signature must have are absent or empty.
    #[error("{0}")]
    MissingElements(Missing),
    /// The `Authorization` header or `X-Amz-Algorithm` names another algorithm.
    #[error("Unsupported AWS 'algorithm': only AWS4-HMAC-SHA256 is supported.")]
    UnsupportedAlgorithm,
    /// The `Authorization` header is not a list of the three known `key=value` pairs.
    #[error("The Authorization header is not a list of Credential=, SignedHeaders= and Signature=.")]
    MalformedAuthorization,
    /// A header that describes the signature is not visible ASCII.
    #[error("The value of the '{0}' header is not valid.")]
    MalformedHeader(&'static str),
    /// The credential is not `key/date/region/service/aws4_request`.
    #[error("Credential must have exactly 5 slash-delimited elements: key/date/region/service/aws4_request.")]
    MalformedCredential,
    /// The list of signed headers is not lower-case, sorted, free of repeats and of a sensible length.
    #[error("SignedHeaders must be lower-case header names, sorted and separated by semicolons.")]
    MalformedSignedHeaders,
    /// The request's time is not in a form that is understood.
    #[error("Date must be in ISO-8601 'basic format', such as 20150830T123600Z.")]
    MalformedDate,
    /// `X-Amz-Expires` is not a number of seconds from 1 to 604800.
    #[error("X-Amz-Expires must be a number of seconds from 1 to 604800.")]
    MalformedExpires,
    /// A parameter of the query could not be decoded.
    #[error("The value of the query-string parameter '{0}' is not valid.")]
    MalformedParameter(&'static str),
    /// Both an `Authorization` header and a presigned query.
    #[error(
        "Only one of the Authorization header and the X-Amz-Signature query-string parameter may be given."
    )]
    BothForms,
    /// A header that describes the signature, or an element of `Authorization`, is given twice.
    #[error("'{0}' may be given only once.")]
    DuplicateElement(&'static str),
    /// An `X-Amz-*` parameter of the query is given twice.
    #[error("The query-string parameter '{0}' may be given only once.")]
    DuplicateParameter(String),
    /// More `X-Amz-*` parameters than any client sends.
    #[error("The query string has too many X-Amz- parameters.")]
    TooManyParameters,
    /// A header that must be signed is not.
    #[error("'{0}' must be a 'SignedHeader' in the AWS Authorization.")]
    SignedHeaderMissing(String),
    /// A header is said to be signed but did not arrive.
    #[error("The signed header '{0}' is not part of the request.")]
    SignedHeaderAbsent(String),
    /// The day of the credential scope is not the day of the request's time.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope_date}' != '{request_date}'."
    )]
    DateMismatch {
        /// The day in the credential scope.
        scope_date: String,
        /// The day of the request's time.
        request_date: String,
    },
    /// The client asked for its body not to be signed, or for chunk signatures.
    #[error("The payload of a request to this service must be signed as a whole.")]
    UnsignedPayloadRefused,
    /// The body is not the one whose hash the request states.
    #[error("The provided 'x-amz-content-sha256' does not match what was computed.")]
    PayloadHashMismatch,
    /// The request's time lies too far ahead.
    #[error("Signature not yet current: {} is still later than {} ({} + 5 min.)",
        BasicTime(*signed_at_s), BasicTime(now_s.saturating_add(super::CLOCK_SKEW_MAX_S)), BasicTime(*now_s))]
    NotYetCurrent {
        /// The request's time, in epoch seconds.
        signed_at_s: i64,
        /// The server's time, in epoch seconds.
        now_s: i64,
    },
    /// The request's time lies too far back.
    #[error("Signature expired: {} is now earlier than {} ({} - {})",
        BasicTime(*signed_at_s), BasicTime(now_s.saturating_sub(*valid_s)), BasicTime(*now_s), Validity(*valid_s))]
    Expired {
        /// The request's time, in epoch seconds.
        signed_at_s: i64,
        /// The server's time, in epoch seconds.
        now_s: i64,
        /// How long the signature was valid, in seconds.
        valid_s: i64,
    },
    /// The key and the request do not give the signature that was presented.
    #[error(
        "The request signature we calculated does not match the signature you provided. \
        Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

/// What the edge tells apart when it chooses a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The claim cannot be read: `IncompleteSignature`.
    IncompleteSignature,
    /// The claim was read and is not true or not enough: `InvalidSignature`, `SignatureDoesNotMatch`.
    InvalidSignature,
    /// The signature was valid once.
    Expired,
    /// The signature will be valid later.
    NotYetCurrent,
}

impl SignatureError {
    /// The kind of refusal.
    pub fn code(&self) -> ErrorKind {
        match self {
            Self::MissingElements(_)
            | Self::UnsupportedAlgorithm
            | Self::MalformedAuthorization
            | Self::MalformedHeader(_)
            | Self::MalformedCredential
            | Self::MalformedSignedHeaders
            | Self::MalformedDate
            | Self::MalformedExpires
            | Self::MalformedParameter(_)
            | Self::BothForms
            | Self::DuplicateElement(_)
            | Self::DuplicateParameter(_)
            | Self::TooManyParameters => ErrorKind::IncompleteSignature,
            Self::SignedHeaderMissing(_)
            | Self::SignedHeaderAbsent(_)
            | Self::DateMismatch { .. }
            | Self::UnsignedPayloadRefused
            | Self::PayloadHashMismatch
            | Self::Mismatch => ErrorKind::InvalidSignature,
            Self::NotYetCurrent { .. } => ErrorKind::NotYetCurrent,
            Self::Expired { .. } => ErrorKind::Expired,
        }
    }
}

/// The parts that a signature lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Where the parts were looked for.
    pub form: super::Form,
    /// What they are called there; for the time of the header form, `Date`.
    pub names: Vec<&'static str>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match (self.form, *name) {
                (super::Form::Query, name) => {
                    write!(f, "AWS query-string parameters must include '{name}'.")?;
                }
                (super::Form::Header, "Date") => {
                    f.write_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")?;
                }
                (super::Form::Header, name) => {
                    write!(f, "Authorization header requires '{name}' parameter.")?;
                }
            }
        }
        Ok(())
    }
}

/// A length of time, in minutes when it is a whole number of them.
struct Validity(i64);

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 60 == 0 { write!(f, "{} min.", self.0 / 60) } else { write!(f, "{} s.", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigv4::Form;

    const NOW_S: i64 = 1_767_226_500; // 20260101T001500Z

    #[test]
    fn times_are_spelled_out() {
        let expired = SignatureError::Expired { signed_at_s: NOW_S - 900, now_s: NOW_S, valid_s: 300 };
        assert_eq!(
            expired.to_string(),
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)"
        );
        let early = SignatureError::NotYetCurrent { signed_at_s: NOW_S + 900, now_s: NOW_S };
        assert_eq!(
            early.to_string(),
            "Signature not yet current: 20260101T003000Z is still later than 20260101T002000Z (20260101T001500Z + 5 min.)"
        );
        let presigned = SignatureError::Expired { signed_at_s: NOW_S - 900, now_s: NOW_S, valid_s: 61 };
        assert!(presigned.to_string().ends_with("(20260101T001500Z - 61 s.)"));
    }

    #[test]
    fn every_missing_part_is_named() {
        let header = Missing { form: Form::Header, names: vec!["Credential", "Date"] };
        assert_eq!(
            header.to_string(),
            "Authorization header requires 'Credential' parameter. \
             Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        );
        let query = Missing { form: Form::Query, names: vec!["X-Amz-Date"] };
        assert_eq!(query.to_string(), "AWS query-string parameters must include 'X-Amz-Date'.");
    }
}
