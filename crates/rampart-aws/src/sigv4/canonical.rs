//! The canonical request and the string to sign: one text for every way to write the same request.
//!
//! Everything is appended to one buffer, which is hashed in one go.

use std::ops::Range;

use super::date::BasicTime;
use super::key::sha256_hex;
use super::{ALGORITHM, CredentialScope, RequestParts, SignatureError, TERMINATOR};
use crate::percent::{decode_front, push_encoded};

/// The query parameter that cannot be part of what it signs.
const SIGNATURE_PARAMETER: &[u8] = b"X-Amz-Signature";

/// The string to sign of a request, in a buffer of its own.
pub(super) fn string_to_sign(
    parts: &RequestParts<'_>,
    signed_headers: &str,
    scope: CredentialScope<'_>,
    signed_at_s: i64,
    body_hash: &[u8; 64],
) -> Result<Vec<u8>, SignatureError> {
    let mut buffer = Vec::with_capacity(1024);
    write_request(&mut buffer, parts, signed_headers, body_hash)?;
    let request_hash = sha256_hex(&buffer);
    buffer.clear();
    buffer.extend_from_slice(ALGORITHM.as_bytes());
    buffer.push(b'\n');
    BasicTime(signed_at_s).push(&mut buffer);
    buffer.push(b'\n');
    for part in [scope.date, scope.region, scope.service] {
        buffer.extend_from_slice(part.as_bytes());
        buffer.push(b'/');
    }
    buffer.extend_from_slice(TERMINATOR.as_bytes());
    buffer.push(b'\n');
    buffer.extend_from_slice(&request_hash);
    Ok(buffer)
}

fn write_request(
    out: &mut Vec<u8>,
    parts: &RequestParts<'_>,
    signed_headers: &str,
    body_hash: &[u8; 64],
) -> Result<(), SignatureError> {
    out.extend_from_slice(parts.method.as_bytes());
    out.push(b'\n');
    write_path(out, parts.path);
    out.push(b'\n');
    write_query(out, parts.query);
    out.push(b'\n');
    write_headers(out, parts.headers, signed_headers)?;
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(body_hash);
    Ok(())
}

/// The path without dot segments and doubled slashes, each segment encoded as it stands: what was encoded on the
/// wire is encoded twice.
fn write_path(out: &mut Vec<u8>, path: &str) {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    if path.is_empty() || path.starts_with('/') {
        out.push(b'/');
    }
    for (index, segment) in kept.iter().enumerate() {
        if index > 0 {
            out.push(b'/');
        }
        segment.bytes().for_each(|byte| push_encoded(out, byte));
    }
    if path.ends_with('/') && !kept.is_empty() {
        out.push(b'/');
    }
}

/// A query parameter, as two stretches of the buffer that holds its encoded text.
struct Parameter {
    name: Range<usize>,
    value: Range<usize>,
}

/// The parameters, encoded strictly, sorted by name and then value; without the signature itself.
fn write_query(out: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut encoded = Vec::with_capacity(query.len() + query.len() / 4);
    let mut parameters = Vec::with_capacity(8);
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = write_component(&mut encoded, name);
        let value = write_component(&mut encoded, value);
        if encoded[name.clone()] != *SIGNATURE_PARAMETER {
            parameters.push(Parameter { name, value });
        }
    }
    parameters.sort_unstable_by(|a, b| {
        let by_name = encoded[a.name.clone()].cmp(&encoded[b.name.clone()]);
        by_name.then_with(|| encoded[a.value.clone()].cmp(&encoded[b.value.clone()]))
    });
    for (index, Parameter { name, value }) in parameters.into_iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(&encoded[name]);
        out.push(b'=');
        out.extend_from_slice(&encoded[value]);
    }
}

/// Decodes and encodes again, so that every way to write a byte gives the same text.
///
/// A literal `+` stays: clients of AWS write a space as `%20` and a plus as `%2B`, and botocore signs a `+` as it
/// finds it. The three remain distinct, so that whatever the reader takes `+` for is what was signed.
fn write_component(out: &mut Vec<u8>, text: &str) -> Range<usize> {
    let start = out.len();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if let Some(byte) = decode_front(rest) {
            push_encoded(out, byte);
            rest = &rest[3..];
            continue;
        }
        if *first == b'+' {
            out.push(b'+');
        } else {
            push_encoded(out, *first);
        }
        rest = tail;
    }
    start..out.len()
}

/// One line for each signed header, values of repeated ones joined with commas.
fn write_headers(
    out: &mut Vec<u8>,
    headers: &[(&str, &[u8])],
    signed_headers: &str,
) -> Result<(), SignatureError> {
    // Only a careless signer has an empty list; none gets past parsing.
    for signed in signed_headers.split(';').filter(|name| !name.is_empty()) {
        out.extend_from_slice(signed.as_bytes());
        let mut separator = b':';
        for (_, value) in headers.iter().filter(|(name, _)| *name == signed) {
            out.push(separator);
            separator = b',';
            write_header_value(out, value);
        }
        if separator == b':' {
            return Err(SignatureError::SignedHeaderAbsent(signed.to_owned()));
        }
        out.push(b'\n');
    }
    Ok(())
}

/// The value without white space around it and with one space for each run inside it.
fn write_header_value(out: &mut Vec<u8>, value: &[u8]) {
    let start = out.len();
    for word in value.split(|byte| is_space(*byte)).filter(|word| !word.is_empty()) {
        if out.len() > start {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// True for white space in a header's value; folded lines and vertical tabs count, as they do for botocore.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A header's value without white space around it.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| !is_space(*byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(*byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn paths() {
        let cases = [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a/../b/./c//d", "/b/c/d"),
            ("/a/b/", "/a/b/"),
            ("/a/b/.", "/a/b"),
            ("/a//", "/a/"),
            ("/a b", "/a%20b"),
            ("/a%20b", "/a%2520b"),
            ("/%2e%2e/a", "/%252e%252e/a"),
            ("/ሴ", "/%E1%88%B4"),
            ("/-._~", "/-._~"),
            ("*", "%2A"),
        ];
        for (path, expected) in cases {
            assert_eq!(text(|out| write_path(out, path)), expected, "{path:?}");
        }
    }

    #[test]
    fn queries() {
        let cases = [
            ("", ""),
            ("a", "a="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a-=1&a=2", "a=2&a-=1"),
            ("a=b=c", "a=b%3Dc"),
            ("a=%2f%2F/", "a=%2F%2F%2F"),
            ("a=%41%7e", "a=A~"),
            ("a=1+2%2B3%204", "a=1+2%2B3%204"),
            ("a=%", "a=%25"),
            ("a=%zz", "a=%25zz"),
            ("a=ሴ", "a=%E1%88%B4"),
            ("a=%FF", "a=%FF"),
            ("a=1&&b=2", "=&a=1&b=2"),
            ("a=1&X-Amz-Signature=00&b=2", "a=1&b=2"),
            ("a=1&X%2DAmz%2DSignature=00", "a=1"),
            ("x-amz-signature=00", "x-amz-signature=00"),
        ];
        for (query, expected) in cases {
            assert_eq!(text(|out| write_query(out, query)), expected, "{query:?}");
        }
    }

    #[test]
    fn headers() {
        let headers: &[(&str, &[u8])] =
            &[("host", b"h"), ("my", b"  a   b\t c "), ("my", b""), ("my", b"x\r\n  y"), ("other", b"o")];
        let mut out = Vec::new();
        write_headers(&mut out, headers, "host;my").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "host:h\nmy:a b c,,x y\n");
        let absent = write_headers(&mut Vec::new(), headers, "host;missing");
        assert_eq!(absent, Err(SignatureError::SignedHeaderAbsent("missing".to_owned())));
    }

    #[test]
    fn trimming() {
        assert_eq!(trim(b" \t a b \r\n"), b"a b");
        assert_eq!(trim(b"  "), b"");
        assert_eq!(trim(b""), b"");
    }
}
