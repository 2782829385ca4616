//! The signature in the query: presigned URLs.

use std::borrow::Cow;

use super::header_form::AuthHeaders;
use super::presented::{check_signed_headers, scope_of};
use super::{
    ALGORITHM, AUTH_PARAMETERS_MAX, Form, Missing, PRESIGNED_EXPIRES_MAX_S, Presented, SignatureError, date,
};
use crate::percent::decode;

const PREFIX: &[u8] = b"X-Amz-";

/// The parameters that describe a signature, each at most once. Values are as received.
#[derive(Default)]
pub(super) struct AuthParameters<'a> {
    algorithm: Option<&'a str>,
    credential: Option<&'a str>,
    date: Option<&'a str>,
    expires: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
    security_token: Option<&'a str>,
    content_sha256: Option<&'a str>,
}

impl<'a> AuthParameters<'a> {
    pub(super) fn collect(query: &'a str) -> Result<Self, SignatureError> {
        let mut found = Self::default();
        let mut seen: Vec<Cow<'a, [u8]>> = Vec::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = decode(name);
            if !name.starts_with(PREFIX) {
                continue;
            }
            if let Some(slot) = found.slot(&name) {
                *slot = Some(value);
            }
            if seen.contains(&name) {
                return Err(SignatureError::DuplicateParameter(String::from_utf8_lossy(&name).into_owned()));
            }
            if seen.len() == AUTH_PARAMETERS_MAX {
                return Err(SignatureError::TooManyParameters);
            }
            seen.push(name);
        }
        Ok(found)
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a str>> {
        match name {
            b"X-Amz-Algorithm" => Some(&mut self.algorithm),
            b"X-Amz-Credential" => Some(&mut self.credential),
            b"X-Amz-Date" => Some(&mut self.date),
            b"X-Amz-Expires" => Some(&mut self.expires),
            b"X-Amz-SignedHeaders" => Some(&mut self.signed_headers),
            b"X-Amz-Signature" => Some(&mut self.signature),
            b"X-Amz-Security-Token" => Some(&mut self.security_token),
            b"X-Amz-Content-Sha256" => Some(&mut self.content_sha256),
            _ => None,
        }
    }

    /// True when the query claims to carry a signature, however incomplete.
    pub(super) fn is_signature(&self) -> bool {
        self.algorithm.is_some() || self.credential.is_some() || self.signature.is_some()
    }
}

pub(super) fn parse<'a>(
    parameters: &AuthParameters<'a>,
    headers: &AuthHeaders<'a>,
) -> Result<Presented<'a>, SignatureError> {
    let given = |value: Option<&'a str>| value.filter(|value| !value.is_empty());
    let (Some(algorithm), Some(credential), Some(time), Some(signed_headers), Some(signature)) = (
        given(parameters.algorithm),
        given(parameters.credential),
        given(parameters.date),
        given(parameters.signed_headers),
        given(parameters.signature),
    ) else {
        return Err(SignatureError::MissingElements(missing(parameters)));
    };
    if *decode(algorithm) != *ALGORITHM.as_bytes() {
        return Err(SignatureError::UnsupportedAlgorithm);
    }
    let signed_headers = decode_text(signed_headers, "X-Amz-SignedHeaders")?;
    check_signed_headers(&signed_headers)?;
    let (access_key_id, scope) = scope_of(split_encoded(credential))?;
    Ok(Presented {
        form: Form::Query,
        access_key_id: decode_text(access_key_id, "X-Amz-Credential")?,
        scope,
        signed_headers,
        signature,
        signed_at_s: date::parse_basic(&decode(time)).ok_or(SignatureError::MalformedDate)?,
        expires_s: parameters.expires.map(parse_expires).transpose()?,
        session_token: session_token(parameters, headers)?,
        payload_claims: [headers.content_sha256.map(Cow::Borrowed), parameters.content_sha256.map(decode)],
    })
}

/// Splits at slashes, encoded or not. Key ids, dates, regions and services have no other character to encode.
fn split_encoded(credential: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(credential);
    std::iter::from_fn(move || {
        let text = rest?;
        let plain = text.find('/').map(|at| (at, at + 1));
        let encoded = ["%2F", "%2f"].into_iter().filter_map(|slash| text.find(slash).map(|at| (at, at + 3)));
        match plain.into_iter().chain(encoded).min() {
            Some((end, next)) => {
                rest = Some(&text[next..]);
                Some(&text[..end])
            }
            None => rest.take(),
        }
    })
}

fn session_token<'a>(
    parameters: &AuthParameters<'a>,
    headers: &AuthHeaders<'a>,
) -> Result<Option<Cow<'a, str>>, SignatureError> {
    match (parameters.security_token, headers.security_token) {
        (Some(_), Some(_)) => Err(SignatureError::DuplicateElement("X-Amz-Security-Token")),
        (Some(token), None) => decode_text(token, "X-Amz-Security-Token").map(Some),
        (None, _) => headers.session_token(),
    }
}

fn decode_text<'a>(value: &'a str, name: &'static str) -> Result<Cow<'a, str>, SignatureError> {
    match decode(value) {
        Cow::Borrowed(_) => Ok(Cow::Borrowed(value)),
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|_| SignatureError::MalformedParameter(name))
        }
    }
}

fn parse_expires(text: &str) -> Result<u32, SignatureError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let expires_s = if is_number { text.parse().ok() } else { None };
    expires_s.filter(|s| (1..=PRESIGNED_EXPIRES_MAX_S).contains(s)).ok_or(SignatureError::MalformedExpires)
}

fn missing(parameters: &AuthParameters<'_>) -> Missing {
    let wanted = [
        ("X-Amz-Algorithm", parameters.algorithm),
        ("X-Amz-Credential", parameters.credential),
        ("X-Amz-Signature", parameters.signature),
        ("X-Amz-SignedHeaders", parameters.signed_headers),
        ("X-Amz-Date", parameters.date),
    ];
    let absent = wanted.into_iter().filter(|(_, value)| value.is_none_or(str::is_empty));
    Missing { form: Form::Query, names: absent.map(|(name, _)| name).collect() }
}
