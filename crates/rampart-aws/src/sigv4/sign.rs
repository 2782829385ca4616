//! Signing, for clients: the test client, benchmarks, anything that calls AWS or another rampart.
//!
//! The same canonical form as verification, from the other side. The caller sends the parts as they were signed.

use super::canonical::string_to_sign;
use super::date::BasicTime;
use super::key::{hex, sha256_hex};
use super::{ALGORITHM, CredentialScope, RequestParts, SigningKey, TERMINATOR};
use crate::percent::push_encoded;

/// A key to sign with.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The public id of the key.
    pub access_key_id: &'a str,
    /// The secret.
    pub secret_access_key: &'a str,
    /// The token, if the key belongs to a session.
    pub session_token: Option<&'a str>,
}

/// Headers that a hop may change, or that are replaced by signing.
const NOT_SIGNED: [&str; 14] = [
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amz-date",
    "x-amz-security-token",
    "x-amzn-trace-id",
];

/// Signs in the header form. Returns the headers to add: `x-amz-date`, `x-amz-security-token` for sessions, and
/// `authorization`; those of the same names in `parts` are not signed and must not be sent.
///
/// `parts` needs a `host` header to be accepted anywhere. An `x-amz-content-sha256` in `parts` is signed like any
/// other header, see [`payload_hash`].
pub fn sign_headers(
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    parts: &RequestParts<'_>,
    now_epoch_s: i64,
) -> Vec<(String, String)> {
    let time = BasicTime(now_epoch_s).to_string();
    let mut headers: Vec<(&str, &[u8])> = kept_headers(parts);
    headers.push(("x-amz-date", time.as_bytes()));
    if let Some(token) = credentials.session_token {
        headers.push(("x-amz-security-token", token.as_bytes()));
    }
    let names = header_names(&headers);
    let scope = CredentialScope { date: &time[..8], region, service };
    let signed = RequestParts { headers: &headers, ..*parts };
    let signature = signature(credentials, scope, &signed, &names, now_epoch_s);
    let authorization = format!(
        "{ALGORITHM} Credential={}, SignedHeaders={names}, Signature={signature}",
        credential(credentials, scope)
    );
    let mut added = vec![("x-amz-date".to_owned(), time)];
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    added.push(("authorization".to_owned(), authorization));
    added
}

/// Signs in the query form. Returns the whole query of the URL, without `?`: the parameters of `parts` as they
/// are, then those of the signature. The headers of `parts` become part of what must be sent.
pub fn presign(
    credentials: &Credentials<'_>,
    region: &str,
    service: &str,
    parts: &RequestParts<'_>,
    expires_s: u32,
    now_epoch_s: i64,
) -> String {
    let time = BasicTime(now_epoch_s).to_string();
    let headers: Vec<(&str, &[u8])> = kept_headers(parts);
    let names = header_names(&headers);
    let scope = CredentialScope { date: &time[..8], region, service };
    let mut query = parts.query.to_owned();
    push_parameter(&mut query, "X-Amz-Algorithm", ALGORITHM);
    push_parameter(&mut query, "X-Amz-Credential", &credential(credentials, scope));
    push_parameter(&mut query, "X-Amz-Date", &time);
    push_parameter(&mut query, "X-Amz-Expires", &expires_s.to_string());
    push_parameter(&mut query, "X-Amz-SignedHeaders", &names);
    if let Some(token) = credentials.session_token {
        push_parameter(&mut query, "X-Amz-Security-Token", token);
    }
    let signed = RequestParts { query: &query, headers: &headers, ..*parts };
    let signature = signature(credentials, scope, &signed, &names, now_epoch_s);
    push_parameter(&mut query, "X-Amz-Signature", &signature);
    query
}

/// What the `x-amz-content-sha256` header of a request with this body says.
pub fn payload_hash(body: &[u8]) -> String {
    String::from_utf8_lossy(&sha256_hex(body)).into_owned()
}

fn signature(
    credentials: &Credentials<'_>,
    scope: CredentialScope<'_>,
    parts: &RequestParts<'_>,
    signed_headers: &str,
    now_epoch_s: i64,
) -> String {
    let text = string_to_sign(parts, signed_headers, scope, now_epoch_s, &sha256_hex(parts.body))
        .expect("the signed headers are those of the request");
    let key = SigningKey::derive(credentials.secret_access_key, scope.date, scope.region, scope.service);
    String::from_utf8_lossy(&hex(&key.sign(&text))).into_owned()
}

fn credential(credentials: &Credentials<'_>, scope: CredentialScope<'_>) -> String {
    let CredentialScope { date, region, service } = scope;
    format!("{}/{date}/{region}/{service}/{TERMINATOR}", credentials.access_key_id)
}

fn kept_headers<'a>(parts: &RequestParts<'a>) -> Vec<(&'a str, &'a [u8])> {
    parts.headers.iter().filter(|(name, _)| !NOT_SIGNED.contains(name)).copied().collect()
}

fn header_names(headers: &[(&str, &[u8])]) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names.join(";")
}

fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    let mut encoded = Vec::with_capacity(value.len());
    value.bytes().for_each(|byte| push_encoded(&mut encoded, byte));
    query.push_str(name);
    query.push('=');
    query.push_str(&String::from_utf8_lossy(&encoded));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigv4::{self, SignatureError};

    const NOW_S: i64 = 1_440_938_160;
    const CREDENTIALS: Credentials<'_> =
        Credentials { access_key_id: "AKID", secret_access_key: "secret", session_token: None };

    fn verdict(parts: &RequestParts<'_>) -> Result<(), SignatureError> {
        let key = SigningKey::derive("secret", "20150830", "us-east-1", "ram");
        sigv4::parse(parts)?.unwrap().verify(parts, &key, NOW_S)
    }

    #[test]
    fn what_is_replaced_is_not_signed() {
        let headers: &[(&str, &[u8])] = &[
            ("host", b"h"),
            ("authorization", b"old"),
            ("x-amz-date", b"old"),
            ("x-amz-security-token", b"old"),
            ("user-agent", b"any"),
        ];
        let parts = RequestParts { method: "GET", path: "/", query: "", headers, body: b"" };
        let added = sign_headers(&CREDENTIALS, "us-east-1", "ram", &parts, NOW_S);
        assert_eq!(added[0], ("x-amz-date".to_owned(), "20150830T123600Z".to_owned()));
        let mut sent: Vec<(&str, &[u8])> = vec![("host", b"h")];
        sent.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        assert_eq!(verdict(&RequestParts { headers: &sent, ..parts }), Ok(()));
    }

    #[test]
    fn a_request_without_host_is_signed_in_vain() {
        let parts = RequestParts { method: "GET", path: "/", query: "a=1", headers: &[], body: b"" };
        let query = presign(&CREDENTIALS, "us-east-1", "ram", &parts, 60, NOW_S);
        assert!(query.starts_with("a=1&X-Amz-Algorithm="));
        let refusal = verdict(&RequestParts { query: &query, ..parts }).map_err(|error| error.to_string());
        let sentence = "AWS query-string parameters must include 'X-Amz-SignedHeaders'.";
        assert_eq!(refusal, Err(sentence.to_owned()));
    }
}
