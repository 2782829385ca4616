//! What a request claims about its signature, and the decision whether that is true.

use std::borrow::Cow;
use std::fmt;

use subtle::ConstantTimeEq;

use super::canonical::string_to_sign;
use super::date::{BasicTime, is_date};
use super::key::sha256_hex;
use super::{CLOCK_SKEW_MAX_S, RequestParts, SIGNED_HEADERS_MAX, SignatureError, SigningKey, TERMINATOR};
use crate::percent::hex_digit;

/// Where the signature stands in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query: a presigned URL.
    Query,
}

/// What a signing key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CredentialScope<'a> {
    /// The day, `YYYYMMDD`.
    pub date: &'a str,
    /// The region, not checked any further.
    pub region: &'a str,
    /// The service, not checked any further.
    pub service: &'a str,
}

/// What a request claims about its signature. True only after [`Presented::verify`].
#[derive(Clone)]
pub struct Presented<'a> {
    /// Where the claim stands.
    pub form: Form,
    /// Whose key signed.
    pub access_key_id: Cow<'a, str>,
    /// What the key is good for.
    pub scope: CredentialScope<'a>,
    /// The signed headers: lower-case, sorted, separated by semicolons.
    pub signed_headers: Cow<'a, str>,
    /// The signature, in hexadecimal if the client is honest.
    pub signature: &'a str,
    /// The time of the request, in epoch seconds.
    pub signed_at_s: i64,
    /// How long a presigned URL asked to be valid.
    pub expires_s: Option<u32>,
    /// The token of a session, part of what is signed.
    pub session_token: Option<Cow<'a, str>>,
    /// What header and query say about the hash of the body.
    pub(super) payload_claims: [Option<Cow<'a, [u8]>>; 2],
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the signature and not the token: this may reach a log.
        f.debug_struct("Presented")
            .field("form", &self.form)
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("signed_headers", &self.signed_headers)
            .field("signed_at_s", &self.signed_at_s)
            .field("expires_s", &self.expires_s)
            .field("has_session_token", &self.session_token.is_some())
            .finish_non_exhaustive()
    }
}

impl Presented<'_> {
    /// Decides whether `key` made this signature over these parts, and whether it is good at this time.
    ///
    /// `parts` must be those that were parsed, and `key` derived for [`Presented::scope`].
    pub fn verify(
        &self,
        parts: &RequestParts<'_>,
        key: &SigningKey,
        now_epoch_s: i64,
    ) -> Result<(), SignatureError> {
        let body_hash = sha256_hex(parts.body);
        self.check_claims(parts, now_epoch_s)?;
        self.check_body_hash(&body_hash)?;
        let text = string_to_sign(parts, &self.signed_headers, self.scope, self.signed_at_s, &body_hash)?;
        let calculated = key.sign(&text);
        let presented = decode_signature(self.signature).ok_or(SignatureError::Mismatch)?;
        if bool::from(calculated.ct_eq(&presented)) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    /// Refuses what can be refused without knowing any secret: the day of the scope, headers that must be signed,
    /// the time window, the form and hash of the body. [`Presented::verify`] does all of this too.
    pub fn check_form(&self, parts: &RequestParts<'_>, now_epoch_s: i64) -> Result<(), SignatureError> {
        self.check_claims(parts, now_epoch_s)?;
        self.check_payload(parts.body)
    }

    /// Refuses a body that is not signed as a whole, or is not the one whose hash the request states. Part of
    /// [`Presented::check_form`].
    pub fn check_payload(&self, body: &[u8]) -> Result<(), SignatureError> {
        if self.payload_claims.iter().all(Option::is_none) {
            return Ok(());
        }
        self.check_body_hash(&sha256_hex(body))
    }

    fn check_claims(&self, parts: &RequestParts<'_>, now_epoch_s: i64) -> Result<(), SignatureError> {
        let mut time = Vec::with_capacity(16);
        BasicTime(self.signed_at_s).push(&mut time);
        if time[..8] != *self.scope.date.as_bytes() {
            let request_date = BasicTime(self.signed_at_s).date();
            return Err(SignatureError::DateMismatch {
                scope_date: self.scope.date.to_owned(),
                request_date,
            });
        }
        self.check_coverage(parts)?;
        self.check_window(now_epoch_s)
    }

    /// The host and everything that AWS gives a meaning to must be signed.
    fn check_coverage(&self, parts: &RequestParts<'_>) -> Result<(), SignatureError> {
        let is_signed = |header: &str| self.signed_headers.split(';').any(|name| name == header);
        let required = parts.headers.iter().map(|(name, _)| *name).filter(|name| name.starts_with("x-amz-"));
        match std::iter::once("host").chain(required).find(|name| !is_signed(name)) {
            Some(name) => Err(SignatureError::SignedHeaderMissing(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Refuses what is not good at this time: too old, or of a time to come. Part of [`Presented::check_form`].
    pub fn check_window(&self, now_s: i64) -> Result<(), SignatureError> {
        let signed_at_s = self.signed_at_s;
        let valid_s = self.expires_s.map_or(CLOCK_SKEW_MAX_S, i64::from);
        if signed_at_s > now_s.saturating_add(CLOCK_SKEW_MAX_S) {
            return Err(SignatureError::NotYetCurrent { signed_at_s, now_s });
        }
        if signed_at_s < now_s.saturating_sub(valid_s) {
            return Err(SignatureError::Expired { signed_at_s, now_s, valid_s });
        }
        Ok(())
    }

    fn check_body_hash(&self, body_hash: &[u8; 64]) -> Result<(), SignatureError> {
        for claim in self.payload_claims.iter().flatten() {
            if **claim == *b"UNSIGNED-PAYLOAD" || claim.starts_with(b"STREAMING-") {
                return Err(SignatureError::UnsignedPayloadRefused);
            }
            if **claim != *body_hash {
                return Err(SignatureError::PayloadHashMismatch);
            }
        }
        Ok(())
    }
}

fn decode_signature(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        if pair.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(signature)
}

/// Takes the five elements of a credential apart: the key id and its scope.
pub(super) fn scope_of<'a>(
    mut elements: impl Iterator<Item = &'a str>,
) -> Result<(&'a str, CredentialScope<'a>), SignatureError> {
    let mut next =
        || elements.next().filter(|element| !element.is_empty()).ok_or(SignatureError::MalformedCredential);
    let (access_key_id, date, region, service, terminator) = (next()?, next()?, next()?, next()?, next()?);
    let is_scope = is_date(date.as_bytes()) && [region, service].iter().all(|name| is_name(name));
    if terminator != TERMINATOR || !is_scope || elements.next().is_some() {
        return Err(SignatureError::MalformedCredential);
    }
    Ok((access_key_id, CredentialScope { date, region, service }))
}

/// Regions and services: letters, digits and a few marks, so that nothing in them is ever encoded.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Refuses a list of signed headers that is not lower-case, sorted and free of repeats.
pub(super) fn check_signed_headers(list: &str) -> Result<(), SignatureError> {
    let mut before = "";
    for (count, name) in list.split(';').enumerate() {
        let is_name =
            name.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b':');
        if name <= before || !is_name || count == SIGNED_HEADERS_MAX {
            return Err(SignatureError::MalformedSignedHeaders);
        }
        before = name;
    }
    Ok(())
}
