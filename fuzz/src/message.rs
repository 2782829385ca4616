//! A request as a text: `METHOD PATH?QUERY`, a line for each header, an empty line, the body.

use rampart_aws::sigv4::RequestParts;
use rampart_aws::sigv4::sign::Credentials;

/// What the targets sign with.
pub const CREDENTIALS: Credentials<'_> = Credentials {
    access_key_id: "AKIDFUZZ",
    secret_access_key: "a secret that no seed has",
    session_token: None,
};

/// What the targets sign for.
pub const SCOPE: (&str, &str) = ("eu-west-1", "ram");

/// 2026-11-22.
pub const DATE: &str = "20261122";

/// The same day, at noon.
pub const NOW_S: i64 = 1_795_348_800;

/// Headers that signing adds, or that say something of it.
const OF_SIGNATURES: [&str; 4] = ["authorization", "date", "x-amz-content-sha256", "x-amz-date"];

/// A request as HTTP lets it through.
pub struct Message<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(String, &'a [u8])>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// `None` for what never gets as far as a signature.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (first, mut rest) = split_line(bytes)?;
        let (method, target) = std::str::from_utf8(first).ok()?.split_once(' ')?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        while let Some((line, after)) = split_line(rest) {
            rest = after;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = std::str::from_utf8(&line[..colon]).ok().filter(|name| is_token(name))?;
            headers.push((name.to_ascii_lowercase(), &line[colon + 1..]));
        }
        Some(Self { method, path, query, headers, body: rest })
    }

    /// Gives `work` the parts as they came.
    pub fn with_parts<R>(&self, work: impl FnOnce(&RequestParts<'_>) -> R) -> R {
        self.with_headers(|_| true, work)
    }

    /// Gives `work` the parts without what says something of a signature, and with a host.
    pub fn unsigned<R>(&self, work: impl FnOnce(&RequestParts<'_>) -> R) -> R {
        let is_plain = |name: &str| !OF_SIGNATURES.contains(&name) && name != "x-amz-security-token";
        self.with_headers(is_plain, |parts| {
            let mut headers = parts.headers.to_vec();
            if headers.iter().all(|(name, _)| *name != "host") {
                headers.push(("host", b"fuzz"));
            }
            work(&RequestParts { headers: &headers, ..*parts })
        })
    }

    /// Whether the query may say something of a signature itself, encoded maybe.
    pub fn has_claims_in_query(&self) -> bool {
        self.query.contains("X-Amz-") || self.query.contains('%')
    }

    fn with_headers<R>(&self, keep: impl Fn(&str) -> bool, work: impl FnOnce(&RequestParts<'_>) -> R) -> R {
        let Self { method, path, query, headers, body } = self;
        let headers: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .filter(|(name, _)| keep(name))
            .collect();
        work(&RequestParts { method, path, query, headers: &headers, body })
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
