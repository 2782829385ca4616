//! Ids as Organizations forms them: a letter or two that say the kind, and lower-case letters and digits.

use std::fmt;

use rampart_aws::AccountId;
use serde::{Deserialize, Serialize};

/// The id of an organization: `o-` and 10 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrganizationId(String);

/// The id of what accounts and units stand in: a root (`r-…`) or an organizational unit (`ou-…-…`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParentId(String);

/// The id of a policy: `p-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(String);

/// The id of a request to create an account: `car-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CreationId(String);

/// The id of a handshake: `h-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandshakeId(String);

/// What a policy is attached to, and what tags are on: a root, a unit, or an account.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum TargetId {
    /// A root or a unit.
    Parent(ParentId),
    /// An account.
    Account(AccountId),
}

impl OrganizationId {
    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        has_form(text.strip_prefix("o-")?, 10, 32).then(|| Self(text.to_owned()))
    }

    /// A new one, from random bytes.
    pub fn new(random: [u8; 10]) -> Self {
        Self(format!("o-{}", letters(&random)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ParentId {
    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = match text.strip_prefix("ou-") {
            Some(rest) => {
                let (root, unit) = rest.split_once('-')?;
                has_form(root, 4, 32) && has_form(unit, 8, 32)
            }
            None => has_form(text.strip_prefix("r-")?, 4, 32),
        };
        is_id.then(|| Self(text.to_owned()))
    }

    /// A new root's, from random bytes.
    pub fn new_root(random: [u8; 4]) -> Self {
        Self(format!("r-{}", letters(&random)))
    }

    /// A new unit's below this root, from random bytes. AWS: a unit's id names its root.
    pub fn new_unit(&self, random: [u8; 8]) -> Self {
        let root = self.0.strip_prefix("r-").unwrap_or(&self.0);
        Self(format!("ou-{root}-{}", letters(&random)))
    }

    /// Whether it is a root's.
    pub fn is_root(&self) -> bool {
        self.0.starts_with("r-")
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PolicyId {
    /// AWS's policy that allows everything, which every root, unit and account begins with.
    pub const FULL_ACCESS: &'static str = "p-FullAWSAccess";

    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("p-")?;
        let is_id = (8..=128).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_id.then(|| Self(text.to_owned()))
    }

    /// A new one, from random bytes. AWS: the ARN's pattern wants ten characters at the least.
    pub fn new(random: [u8; 10]) -> Self {
        Self(format!("p-{}", letters(&random)))
    }

    /// The id of AWS's policy that allows everything.
    pub fn full_access() -> Self {
        Self(Self::FULL_ACCESS.to_owned())
    }

    /// Whether it is that one.
    pub fn is_full_access(&self) -> bool {
        self.0 == Self::FULL_ACCESS
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CreationId {
    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        has_form(text.strip_prefix("car-")?, 8, 32).then(|| Self(text.to_owned()))
    }

    /// A new one, from random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("car-{}", letters(&random)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HandshakeId {
    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        has_form(text.strip_prefix("h-")?, 8, 32).then(|| Self(text.to_owned()))
    }

    /// A new one, from random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("h-{}", letters(&random)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TargetId {
    /// Reads an id; `None` when the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(account) => Some(Self::Account(account)),
            Err(_) => ParentId::parse(text).map(Self::Parent),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Parent(id) => id.as_str(),
            Self::Account(id) => id.as_str(),
        }
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ParentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn has_form(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn letters(random: &[u8]) -> String {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 36)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_form_alone() {
        assert!(OrganizationId::parse("o-a1b2c3d4e5").is_some());
        for bad in ["", "o-", "o-a1b2c3d4e", "o-A1b2c3d4e5", "x-a1b2c3d4e5", "o-a1b2c3d4e5 ", "o-a1b2c3d4-5"]
        {
            assert_eq!(OrganizationId::parse(bad), None, "{bad}");
        }
        assert!(ParentId::parse("r-ab12").is_some_and(|id| id.is_root()));
        assert!(ParentId::parse("ou-ab12-abcdefgh").is_some_and(|id| !id.is_root()));
        for bad in [
            "r-ab1",
            "r-ab12-abcdefgh",
            "ou-ab12",
            "ou-ab12-abcdefg",
            "ou-ab12-abcdefgh-x",
            "ou-AB12-abcdefgh",
        ] {
            assert_eq!(ParentId::parse(bad), None, "{bad}");
        }
        assert!(PolicyId::parse("p-FullAWSAccess").is_some_and(|id| id.is_full_access()));
        assert!(PolicyId::parse("p-short").is_none() && PolicyId::parse("p-with-hyphen1").is_none());
        assert!(TargetId::parse("11111111111").is_none() && TargetId::parse("111111111111").is_some());
    }

    #[test]
    fn new_ids_can_be_read() {
        let root = ParentId::new_root([255; 4]);
        assert!(OrganizationId::parse(OrganizationId::new([7; 10]).as_str()).is_some());
        assert!(ParentId::parse(root.as_str()).is_some());
        assert!(ParentId::parse(root.new_unit([9; 8]).as_str()).is_some());
        assert!(PolicyId::parse(PolicyId::new([1; 10]).as_str()).is_some());
        assert!(CreationId::parse(CreationId::new([1; 32]).as_str()).is_some());
        assert!(HandshakeId::parse(HandshakeId::new([1; 32]).as_str()).is_some());
    }
}
