//! Sources: where the requests of a service principal may come from (reference §4.4).

use rampart_aws::{AccountId, Arn};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::principal::{is_organization_id, is_unit_id, shorten};

/// The longest text of a source.
const SOURCE_CHARS_MAX: usize = 2048;

/// What a source's text is. AWS publishes no values for `sourceType`; these are the recommended choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceType {
    /// Twelve digits.
    Account,
    /// The ARN of a resource.
    Arn,
    /// `o-…`
    Organization,
    /// `o-…/r-…/ou-…/`
    OrganizationPath,
}

impl SourceType {
    /// The wire's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "ACCOUNT",
            Self::Arn => "ARN",
            Self::Organization => "ORGANIZATION",
            Self::OrganizationPath => "ORGANIZATION_PATH",
        }
    }

    /// The type of that spelling.
    pub fn named(name: &str) -> Result<Self, Refusal> {
        let all = [Self::Account, Self::Arn, Self::Organization, Self::OrganizationPath];
        let invalid = || Refusal::SourceTypeInvalid { value: name.chars().take(64).collect() };
        all.into_iter().find(|source_type| source_type.as_str() == name).ok_or_else(invalid)
    }

    /// What `text` is, if it can be a source.
    pub fn of(text: &str) -> Result<Self, Refusal> {
        if text.parse::<AccountId>().is_ok() {
            return Ok(Self::Account);
        }
        if text.len() <= SOURCE_CHARS_MAX && Arn::parse(text).is_ok() {
            return Ok(Self::Arn);
        }
        if is_organization_id(text) {
            return Ok(Self::Organization);
        }
        if is_organization_path(text) {
            return Ok(Self::OrganizationPath);
        }
        Err(Refusal::SourceMalformed { source: shorten(text) })
    }
}

fn is_organization_path(text: &str) -> bool {
    let mut parts = text.trim_end_matches('*').trim_end_matches('/').split('/');
    let organization = parts.next().is_some_and(is_organization_id);
    let is_root = |id: &str| {
        id.strip_prefix("r-").is_some_and(|id| {
            (4..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
    };
    organization && parts.next().is_some_and(is_root) && parts.all(is_unit_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_are_told_apart() {
        for (text, source_type) in [
            ("111111111111", SourceType::Account),
            ("arn:aws:acm-pca:eu-west-1:111111111111:certificate-authority/x", SourceType::Arn),
            ("o-abcdefghij", SourceType::Organization),
            ("o-abcdefghij/r-ab12/ou-ab12-abcdefgh/", SourceType::OrganizationPath),
            ("o-abcdefghij/r-ab12/*", SourceType::OrganizationPath),
        ] {
            assert_eq!(SourceType::of(text), Ok(source_type), "{text}");
        }
        for text in ["", "11111111111", "o-short", "o-abcdefghij/ou-ab12-abcdefgh", "anything"] {
            assert_eq!(SourceType::of(text), Err(Refusal::SourceMalformed { source: text.to_owned() }));
        }
    }
}
