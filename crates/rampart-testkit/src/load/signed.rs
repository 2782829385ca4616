//! Requests as the AWS SDKs write them, signed, as the bytes that go over the wire.

use rampart_aws::sigv4::RequestParts;
use rampart_aws::sigv4::sign::{Credentials, sign_headers};
use rampart_server::Clock;

use crate::server::REGION;

/// A signed POST of RAM in HTTP/1.1. The same bytes may be sent again and again while the signature is good: without a
/// client token and without the invocation id of an SDK every call is a call of its own.
pub fn request(credentials: &Credentials<'_>, path: &str, body: &str) -> Vec<u8> {
    const HOST: &str = "rampart.example:7266";
    const CONTENT_TYPE: &str = "application/json";
    let signed: &[(&str, &[u8])] = &[("content-type", CONTENT_TYPE.as_bytes()), ("host", HOST.as_bytes())];
    let parts = RequestParts { method: "POST", path, query: "", headers: signed, body: body.as_bytes() };
    let added = sign_headers(credentials, REGION, "ram", &parts, Clock::real().epoch_s());
    let added: Vec<_> = added.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let added = added.concat();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {HOST}\r\naccept-encoding: identity\r\ncontent-type: {CONTENT_TYPE}\r\n\
         user-agent: aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux md/arch#x86_64 lang/python#3.11.8\r\n\
         {added}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
