//! The signature in the `Authorization` header.

use std::borrow::Cow;

use super::canonical::trim;
use super::presented::{check_signed_headers, scope_of};
use super::{ALGORITHM, Form, Missing, Presented, SignatureError, date};

/// The headers that describe a signature, each at most once, without white space around them.
#[derive(Default)]
pub(super) struct AuthHeaders<'a> {
    pub(super) authorization: Option<&'a [u8]>,
    pub(super) amz_date: Option<&'a [u8]>,
    pub(super) date: Option<&'a [u8]>,
    pub(super) security_token: Option<&'a [u8]>,
    pub(super) content_sha256: Option<&'a [u8]>,
}

impl<'a> AuthHeaders<'a> {
    pub(super) fn collect(headers: &'a [(&'a str, &'a [u8])]) -> Result<Self, SignatureError> {
        let mut found = Self::default();
        for (name, value) in headers {
            let (slot, name) = match *name {
                "authorization" => (&mut found.authorization, "Authorization"),
                "x-amz-date" => (&mut found.amz_date, "X-Amz-Date"),
                "date" => (&mut found.date, "Date"),
                "x-amz-security-token" => (&mut found.security_token, "X-Amz-Security-Token"),
                "x-amz-content-sha256" => (&mut found.content_sha256, "X-Amz-Content-SHA256"),
                _ => continue,
            };
            if slot.replace(trim(value)).is_some() {
                return Err(SignatureError::DuplicateElement(name));
            }
        }
        Ok(found)
    }

    /// The session token, as text.
    pub(super) fn session_token(&self) -> Result<Option<Cow<'a, str>>, SignatureError> {
        let malformed = |_| SignatureError::MalformedHeader("x-amz-security-token");
        self.security_token
            .map(|token| std::str::from_utf8(token).map(Cow::Borrowed))
            .transpose()
            .map_err(malformed)
    }
}

/// The three elements of an `Authorization` header.
#[derive(Default)]
struct Elements<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
}

pub(super) fn parse<'a>(
    authorization: &'a [u8],
    headers: &AuthHeaders<'a>,
) -> Result<Presented<'a>, SignatureError> {
    let elements = split_elements(authorization)?;
    let given = |value: Option<&'a str>| value.filter(|value| !value.is_empty());
    let (Some(credential), Some(signed_headers), Some(signature), Some(time)) = (
        given(elements.credential),
        given(elements.signed_headers),
        given(elements.signature),
        headers.amz_date.or(headers.date),
    ) else {
        return Err(SignatureError::MissingElements(missing(&elements, headers)));
    };
    check_signed_headers(signed_headers)?;
    let signed_at_s = match headers.amz_date {
        Some(basic) => date::parse_basic(basic),
        None => date::parse_header(time),
    };
    if headers.amz_date.is_none() && !signed_headers.split(';').any(|name| name == "date") {
        return Err(SignatureError::SignedHeaderMissing("date".to_owned()));
    }
    let (access_key_id, scope) = scope_of(credential.split('/'))?;
    Ok(Presented {
        form: Form::Header,
        access_key_id: Cow::Borrowed(access_key_id),
        scope,
        signed_headers: Cow::Borrowed(signed_headers),
        signature,
        signed_at_s: signed_at_s.ok_or(SignatureError::MalformedDate)?,
        expires_s: None,
        session_token: headers.session_token()?,
        payload_claims: [headers.content_sha256.map(Cow::Borrowed), None],
    })
}

fn split_elements(authorization: &[u8]) -> Result<Elements<'_>, SignatureError> {
    let text =
        std::str::from_utf8(authorization).map_err(|_| SignatureError::MalformedHeader("authorization"))?;
    let (algorithm, pairs) = text.split_once(' ').unwrap_or((text, ""));
    if algorithm != ALGORITHM {
        return Err(SignatureError::UnsupportedAlgorithm);
    }
    let mut elements = Elements::default();
    for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(SignatureError::MalformedAuthorization)?;
        let (slot, name) = match name {
            "Credential" => (&mut elements.credential, "Credential"),
            "SignedHeaders" => (&mut elements.signed_headers, "SignedHeaders"),
            "Signature" => (&mut elements.signature, "Signature"),
            _ => return Err(SignatureError::MalformedAuthorization),
        };
        if slot.is_some() {
            return Err(SignatureError::DuplicateElement(name));
        }
        *slot = Some(value);
    }
    Ok(elements)
}

fn missing(elements: &Elements<'_>, headers: &AuthHeaders<'_>) -> Missing {
    let is_given = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
    let wanted = [
        ("Credential", is_given(elements.credential)),
        ("Signature", is_given(elements.signature)),
        ("SignedHeaders", is_given(elements.signed_headers)),
        ("Date", headers.amz_date.is_some() || headers.date.is_some()),
    ];
    let names = wanted.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect();
    Missing { form: Form::Header, names }
}
