//! Amazon Resource Names: `arn:partition:service:region:account:resource`.
//!
//! An [`Arn`] says that the text has this shape. Whether the partition exists, the account is a number or the
//! resource is of a known type is for the caller to ask.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::AccountId;

/// The longest ARN that is accepted, in bytes.
pub const ARN_LEN_MAX: usize = 2048;

const PREFIX: &str = "arn:";

/// A well-formed ARN. Equality, order and hash are those of its text.
#[derive(Clone)]
pub struct Arn {
    text: Box<str>,
    /// Where the colons after partition, service, region and account stand.
    colons: [u16; 4],
}

/// Why a text is not an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Longer than [`ARN_LEN_MAX`].
    #[error("an ARN has at most 2048 characters")]
    TooLong,
    /// A space, a control character or something outside ASCII.
    #[error("an ARN is printable ASCII without spaces")]
    InvalidCharacter,
    /// The text does not start with `arn:`.
    #[error("an ARN starts with arn:")]
    MissingPrefix,
    /// There are fewer than six fields.
    #[error("an ARN has six fields, separated by colons")]
    TooFewFields,
    /// The partition is neither `aws` nor `aws-` and a name.
    #[error("the partition of an ARN is aws or starts with aws-")]
    InvalidPartition,
    /// The service field is empty.
    #[error("an ARN names a service")]
    EmptyService,
    /// The resource field is empty.
    #[error("an ARN names a resource")]
    EmptyResource,
}

impl Arn {
    /// Reads an ARN.
    pub fn parse(text: &str) -> Result<Self, ArnError> {
        let colons = find_colons(text)?;
        let arn = Self { text: text.into(), colons };
        check_fields(&arn)?;
        Ok(arn)
    }

    /// Puts an ARN together. A colon inside any field but the resource would shift the fields and is refused.
    pub fn from_fields(
        partition: &str,
        service: &str,
        region: &str,
        account: &str,
        resource: &str,
    ) -> Result<Self, ArnError> {
        if [partition, service, region, account].iter().any(|field| field.contains(':')) {
            return Err(ArnError::InvalidCharacter);
        }
        Self::parse(&format!("{PREFIX}{partition}:{service}:{region}:{account}:{resource}"))
    }

    /// The partition, such as `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        &self.text[PREFIX.len()..self.colon(0)]
    }

    /// The service, such as `ram`.
    pub fn service(&self) -> &str {
        &self.text[self.field(1)]
    }

    /// The region; empty for global resources.
    pub fn region(&self) -> &str {
        &self.text[self.field(2)]
    }

    /// The account: twelve digits, empty, or a name such as `aws`.
    pub fn account(&self) -> &str {
        &self.text[self.field(3)]
    }

    /// The account, when the field holds an account id.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().parse().ok()
    }

    /// All that follows the fifth colon, colons included.
    pub fn resource(&self) -> &str {
        &self.text[self.colon(3) + 1..]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole text, owned.
    pub fn into_string(self) -> String {
        self.text.into_string()
    }

    fn colon(&self, index: usize) -> usize {
        usize::from(self.colons[index])
    }

    fn field(&self, index: usize) -> Range<usize> {
        self.colon(index - 1) + 1..self.colon(index)
    }
}

fn find_colons(text: &str) -> Result<[u16; 4], ArnError> {
    if text.len() > ARN_LEN_MAX {
        return Err(ArnError::TooLong);
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ArnError::InvalidCharacter);
    }
    let fields = text.strip_prefix(PREFIX).ok_or(ArnError::MissingPrefix)?;
    let mut colons = [0; 4];
    let mut found = fields.bytes().zip(PREFIX.len()..).filter(|(b, _)| *b == b':').map(|(_, at)| at);
    for colon in &mut colons {
        let at = found.next().ok_or(ArnError::TooFewFields)?;
        *colon = u16::try_from(at).expect("ARN_LEN_MAX fits");
    }
    Ok(colons)
}

fn check_fields(arn: &Arn) -> Result<(), ArnError> {
    let is_partition = match arn.partition().strip_prefix("aws") {
        Some("") => true,
        Some(rest) => {
            rest.len() > 1
                && rest.starts_with('-')
                && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        }
        None => false,
    };
    if !is_partition {
        Err(ArnError::InvalidPartition)
    } else if arn.service().is_empty() {
        Err(ArnError::EmptyService)
    } else if arn.resource().is_empty() {
        Err(ArnError::EmptyResource)
    } else {
        Ok(())
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Arn {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Arn {}

impl PartialEq<str> for Arn {
    fn eq(&self, other: &str) -> bool {
        *self.text == *other
    }
}

impl PartialEq<&str> for Arn {
    fn eq(&self, other: &&str) -> bool {
        *self.text == **other
    }
}

impl PartialOrd for Arn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Arn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Borrow<str> for Arn {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Arn {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for Arn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Arn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'de, str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
