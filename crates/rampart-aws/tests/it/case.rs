//! A signed request from a data file.

use std::path::Path;

use rampart_aws::sigv4::{self, Presented, RequestParts, SignatureError, SigningKey};
use serde::Deserialize;

/// A request as a client sent it, and what is known about it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(rename = "origin")]
    _origin: String,
    #[serde(rename = "note", default)]
    _note: String,
    pub(crate) secret_access_key: String,
    pub(crate) now_s: i64,
    pub(crate) access_key_id: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) session_token: Option<String>,
    pub(crate) expires_s: Option<u32>,
    /// The form of the date is one that our own signer does not use.
    #[serde(default)]
    pub(crate) verify_only: bool,
    /// The sentence that it is refused with.
    pub(crate) refused: Option<String>,
    pub(crate) request: Request,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn with_parts<R>(&self, work: impl FnOnce(&RequestParts<'_>) -> R) -> R {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        work(&RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a request does not get through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unsigned,
    UnknownKey,
    Signature(SignatureError),
}

/// The id of a second key, which has another secret than any case.
pub(crate) const OTHER_KEY_ID: &str = "AKIAOTHER";

impl Case {
    pub(crate) fn is_presigned(&self) -> bool {
        self.request.header("authorization").is_none()
    }

    pub(crate) fn read_claim<R>(&self, work: impl FnOnce(&Presented<'_>) -> R) -> R {
        self.request.with_parts(|parts| work(&sigv4::parse(parts).unwrap().unwrap()))
    }

    /// What a server that knows this case's key and one other would say to a request.
    pub(crate) fn serve(&self, request: &Request, now_s: i64) -> Result<(), Refusal> {
        request.with_parts(|parts| {
            let presented = sigv4::parse(parts).map_err(Refusal::Signature)?.ok_or(Refusal::Unsigned)?;
            let secret = match &*presented.access_key_id {
                id if id == self.access_key_id => self.secret_access_key.as_str(),
                OTHER_KEY_ID => "another secret",
                _ => return Err(Refusal::UnknownKey),
            };
            let scope = presented.scope;
            let key = SigningKey::derive(secret, scope.date, scope.region, scope.service);
            let form = presented.check_form(parts, now_s);
            let verdict = presented.verify(parts, &key, now_s);
            // What needs no secret is refused alike with and without one.
            if form.is_err() {
                assert_eq!(form, verdict, "{}", self.name);
            }
            verdict.map_err(Refusal::Signature)
        })
    }
}

/// The published cases.
pub(crate) fn suite() -> Vec<Case> {
    load("suite")
}

/// The requests signed by botocore.
pub(crate) fn botocore() -> Vec<Case> {
    load("botocore")
}

/// Every case that is good.
pub(crate) fn good() -> Vec<Case> {
    let mut cases = suite();
    cases.extend(botocore());
    cases.retain(|case| case.refused.is_none());
    cases
}

fn load(directory: &str) -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(directory);
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Case {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let case: Case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Case { name, ..case }
}
