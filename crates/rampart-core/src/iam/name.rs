//! Names, paths and unique ids as IAM forms them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::IamRefusal;

/// Characters of a user's or role's name.
pub const IDENTITY_NAME_CHARS_MAX: usize = 64;
/// Characters of a policy's name.
pub const POLICY_NAME_CHARS_MAX: usize = 128;
/// Characters of a path.
pub const PATH_CHARS_MAX: usize = 512;

/// A name of a user, a role or a policy: letters, digits and `+=,.@_-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IamName(String);

impl IamName {
    /// Checks the name of a user or a role; `parameter` is what the refusal names.
    pub fn of_identity(text: &str, parameter: &'static str) -> Result<Self, IamRefusal> {
        Self::parse(text, parameter, IDENTITY_NAME_CHARS_MAX)
    }

    /// Checks the name of a policy.
    pub fn of_policy(text: &str, parameter: &'static str) -> Result<Self, IamRefusal> {
        Self::parse(text, parameter, POLICY_NAME_CHARS_MAX)
    }

    fn parse(text: &str, parameter: &'static str, chars_max: usize) -> Result<Self, IamRefusal> {
        if text.is_empty() || text.len() > chars_max {
            return Err(IamRefusal::NameLength { parameter, chars_max });
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b)) {
            return Err(IamRefusal::NameCharacter { parameter });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names that IAM takes for the same have in common.
    // AWS: names are unique whatever the case of their letters.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for IamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is stored was checked when it was written; anything else is corrupt.
impl FromStr for IamName {
    type Err = IamRefusal;

    fn from_str(text: &str) -> Result<Self, IamRefusal> {
        Self::of_policy(text, "name")
    }
}

/// A path of a user or a role: `/`, or one that begins and ends with `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IamPath(String);

impl IamPath {
    /// Where everything is that nobody has put elsewhere.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Checks a path.
    pub fn parse(text: &str) -> Result<Self, IamRefusal> {
        let is_path = text.starts_with('/') && text.ends_with('/') && text.len() <= PATH_CHARS_MAX;
        // AWS: `//` would be one `/` between nothing; the pattern of the model needs something between two.
        if !is_path || text == "//" || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(IamRefusal::PathInvalid);
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks the beginning of a path, as lists are filtered by.
    pub fn parse_prefix(text: &str) -> Result<String, IamRefusal> {
        let is_prefix = text.starts_with('/') && text.len() <= PATH_CHARS_MAX;
        if !is_prefix || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(IamRefusal::PathPrefixInvalid);
        }
        Ok(text.to_owned())
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IamPath {
    type Err = IamRefusal;

    fn from_str(text: &str) -> Result<Self, IamRefusal> {
        Self::parse(text)
    }
}

/// Random bytes that make a unique id.
pub type IdBytes = [u8; 17];

/// A unique id such as `AIDA…` from random bytes: four letters that tell the kind, and 17 of 32 kinds.
pub fn unique_id(prefix: &str, random: IdBytes) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    prefix.chars().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_letters_digits_and_seven_signs() {
        for good in ["a", "Alice_1", "+=,.@_-", &"a".repeat(64)] {
            assert_eq!(IamName::of_identity(good, "userName").unwrap().as_str(), good);
        }
        for bad in ["", &"a".repeat(65)] {
            let refused = IamName::of_identity(bad, "userName");
            assert_eq!(
                refused,
                Err(IamRefusal::NameLength { parameter: "userName", chars_max: 64 }),
                "{bad}"
            );
        }
        for bad in ["a b", "a/b", "é", "a\n", "a*"] {
            let refused = IamName::of_identity(bad, "userName");
            assert_eq!(refused, Err(IamRefusal::NameCharacter { parameter: "userName" }), "{bad}");
        }
        assert!(IamName::of_policy(&"a".repeat(128), "policyName").is_ok());
        assert!(IamName::of_policy(&"a".repeat(129), "policyName").is_err());
    }

    #[test]
    fn paths_begin_and_end_with_a_slash() {
        for good in ["/", "/a/", "/a/b!~/", &format!("/{}/", "a".repeat(510))] {
            assert_eq!(IamPath::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a", "/a", "a/", "//", "/a b/", "/é/", &format!("/{}/", "a".repeat(511))] {
            assert_eq!(IamPath::parse(bad), Err(IamRefusal::PathInvalid), "{bad}");
        }
        assert!(IamPath::parse_prefix("/a").is_ok());
        assert_eq!(IamPath::parse_prefix("a"), Err(IamRefusal::PathPrefixInvalid));
    }

    #[test]
    fn a_unique_id_tells_its_kind() {
        assert_eq!(unique_id("AIDA", [0; 17]), "AIDAAAAAAAAAAAAAAAAAA");
        assert_eq!(unique_id("AROA", [255; 17]), "AROA77777777777777777");
    }
}
