//! Presigned URLs: no URL that others made passes under our key; any that we sign passes as long as it says, and does
//! not once something is added to its query.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_aws::sigv4::sign::presign;
use rampart_aws::sigv4::{self, Form, RequestParts, SIGNED_HEADERS_MAX, SignatureError, SigningKey};
use rampart_fuzz::message::{CREDENTIALS, DATE, Message, NOW_S, SCOPE};

const EXPIRES_S: u32 = 60;

fuzz_target!(|bytes: &[u8]| {
    let Some(message) = Message::read(bytes) else { return };
    message.with_parts(|parts| {
        let Ok(Some(presented)) = sigv4::parse(parts) else { return };
        let sigv4::CredentialScope { date, region, service } = presented.scope;
        assert!(presented.expires_s.is_none_or(|s| (1..=sigv4::PRESIGNED_EXPIRES_MAX_S).contains(&s)));
        let key = SigningKey::derive(CREDENTIALS.secret_access_key, date, region, service);
        assert!(presented.verify(parts, &key, presented.signed_at_s).is_err(), "{presented:?}");
    });
    message.unsigned(|parts| sign(parts, message.has_claims_in_query()));
});

fn sign(parts: &RequestParts<'_>, has_claims: bool) {
    if !matches!(sigv4::parse(parts), Ok(None)) || parts.headers.len() > SIGNED_HEADERS_MAX {
        return;
    }
    let (region, service) = SCOPE;
    let query = presign(&CREDENTIALS, region, service, parts, EXPIRES_S, NOW_S);
    let signed = RequestParts { query: &query, ..*parts };
    let key = SigningKey::derive(CREDENTIALS.secret_access_key, DATE, region, service);
    let presented = match sigv4::parse(&signed) {
        Ok(presented) => presented.expect("there is one"),
        Err(error) => return assert!(has_claims && is_of_claims(&error), "{error}"),
    };
    assert_eq!((presented.form, &*presented.access_key_id), (Form::Query, CREDENTIALS.access_key_id));
    assert_eq!(presented.expires_s, Some(EXPIRES_S));
    match presented.verify(&signed, &key, NOW_S) {
        Ok(()) => {}
        Err(error) => return assert!(has_claims && is_of_claims(&error), "{error}"),
    }
    assert!(presented.verify(&signed, &key, NOW_S + i64::from(EXPIRES_S) + 1).is_err());
    let more = format!("{query}&added=");
    assert!(presented.verify(&RequestParts { query: &more, ..signed }, &key, NOW_S).is_err());
}

/// Whether it is refused for what the query said before we signed it.
fn is_of_claims(error: &SignatureError) -> bool {
    matches!(
        error,
        SignatureError::DuplicateParameter(_)
            | SignatureError::TooManyParameters
            | SignatureError::MalformedParameter(_)
            | SignatureError::PayloadHashMismatch
            | SignatureError::UnsignedPayloadRefused
    )
}
