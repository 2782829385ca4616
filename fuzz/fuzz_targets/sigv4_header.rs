//! Signatures in the header: no request that others made passes under our key; any request that we sign passes, and does
//! not once its body is another.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_aws::sigv4::sign::sign_headers;
use rampart_aws::sigv4::{self, Form, RequestParts, SIGNED_HEADERS_MAX, SigningKey};
use rampart_fuzz::message::{CREDENTIALS, DATE, Message, NOW_S, SCOPE};

fuzz_target!(|bytes: &[u8]| {
    let Some(message) = Message::read(bytes) else { return };
    message.with_parts(|parts| {
        let Ok(Some(presented)) = sigv4::parse(parts) else { return };
        let sigv4::CredentialScope { date, region, service } = presented.scope;
        assert!(!presented.access_key_id.is_empty() && !presented.signed_headers.is_empty());
        assert_eq!(date.len(), 8);
        let key = SigningKey::derive(CREDENTIALS.secret_access_key, date, region, service);
        for now_s in [presented.signed_at_s, i64::MAX, i64::MIN] {
            assert!(presented.verify(parts, &key, now_s).is_err(), "{presented:?}");
        }
        let _ = format!("{presented:?}");
    });
    message.unsigned(sign);
});

fn sign(parts: &RequestParts<'_>) {
    if !matches!(sigv4::parse(parts), Ok(None)) || parts.headers.len() + 1 > SIGNED_HEADERS_MAX {
        return;
    }
    let (region, service) = SCOPE;
    let added = sign_headers(&CREDENTIALS, region, service, parts, NOW_S);
    let mut headers = parts.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let signed = RequestParts { headers: &headers, ..*parts };
    let presented = sigv4::parse(&signed).expect("our signature is read").expect("there is one");
    assert_eq!((presented.form, &*presented.access_key_id), (Form::Header, CREDENTIALS.access_key_id));
    let key = SigningKey::derive(CREDENTIALS.secret_access_key, DATE, region, service);
    assert_eq!(presented.verify(&signed, &key, NOW_S), Ok(()));
    let body = [parts.body, b"!"].concat();
    assert!(presented.verify(&RequestParts { body: &body, ..signed }, &key, NOW_S).is_err());
    let method = format!("{}X", parts.method);
    assert!(presented.verify(&RequestParts { method: &method, ..signed }, &key, NOW_S).is_err());
}
