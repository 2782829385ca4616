//! With whom a resource is shared: the textual forms of a principal (reference §1.2).

use rampart_aws::{AccountId, Arn, Partition};

use crate::Refusal;
use crate::limits::PRINCIPAL_CHARS_MAX;

/// A principal as a caller names it. The text given by the caller is what is stored and echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Twelve digits.
    Account(AccountId),
    /// `arn:…:iam::{account}:role/…` or `…:user/…`.
    Identity {
        /// The account that the role or user is in: who is invited.
        account: AccountId,
        /// The role's or user's ARN.
        arn: String,
    },
    /// `arn:…:organizations::{management}:organization/o-…`.
    Organization {
        /// `o-…`
        id: String,
        /// The whole ARN.
        arn: String,
    },
    /// `arn:…:organizations::{management}:ou/o-…/ou-…`.
    OrganizationalUnit {
        /// `ou-…`
        id: String,
        /// The whole ARN.
        arn: String,
    },
    /// `{service-id}.amazonaws.com`.
    Service(String),
}

impl Principal {
    /// Reads a principal in the partition of the caller's Region.
    pub fn parse(text: &str, partition: Partition) -> Result<Self, Refusal> {
        let malformed = || Refusal::PrincipalMalformed { principal: shorten(text) };
        if text.len() > PRINCIPAL_CHARS_MAX {
            return Err(malformed());
        }
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(account));
        }
        if let Some(service) = text.strip_suffix(partition.dns_suffix()).and_then(|s| s.strip_suffix('.')) {
            return if is_service_id(service) {
                Ok(Self::Service(text.to_owned()))
            } else {
                Err(malformed())
            };
        }
        let arn = Arn::parse(text).map_err(|_| malformed())?;
        if arn.partition() != partition.as_str() || !arn.region().is_empty() {
            return Err(malformed());
        }
        let account: AccountId = arn.account().parse().map_err(|_| malformed())?;
        match arn.service() {
            "iam" => parse_identity(&arn, account),
            "organizations" => parse_organization_entity(&arn),
            _ => None,
        }
        .ok_or_else(malformed)
    }

    /// The text that names this principal in rows and answers.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Account(account) => account.as_str(),
            Self::Identity { arn, .. }
            | Self::Organization { arn, .. }
            | Self::OrganizationalUnit { arn, .. } => arn,
            Self::Service(name) => name,
        }
    }
}

fn parse_identity(arn: &Arn, account: AccountId) -> Option<Principal> {
    let (kind, name) = arn.resource().split_once('/')?;
    let named = matches!(kind, "role" | "user")
        && !name.is_empty()
        && !name.ends_with('/')
        && !name.contains(['*', '?']);
    named.then(|| Principal::Identity { account, arn: arn.as_str().to_owned() })
}

fn parse_organization_entity(arn: &Arn) -> Option<Principal> {
    let mut parts = arn.resource().split('/');
    let principal = match (parts.next()?, parts.next()?, parts.next()) {
        ("organization", organization, None) if is_organization_id(organization) => {
            Principal::Organization { id: organization.to_owned(), arn: arn.as_str().to_owned() }
        }
        ("ou", organization, Some(unit)) if is_organization_id(organization) && is_unit_id(unit) => {
            Principal::OrganizationalUnit { id: unit.to_owned(), arn: arn.as_str().to_owned() }
        }
        _ => return None,
    };
    parts.next().is_none().then_some(principal)
}

pub(crate) fn is_organization_id(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| (10..=32).contains(&id.len()) && is_lower_alphanumeric(id))
}

pub(crate) fn is_unit_id(text: &str) -> bool {
    text.strip_prefix("ou-").and_then(|rest| rest.split_once('-')).is_some_and(|(root, id)| {
        (4..=32).contains(&root.len())
            && (8..=32).contains(&id.len())
            && is_lower_alphanumeric(root)
            && is_lower_alphanumeric(id)
    })
}

fn is_service_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

fn is_lower_alphanumeric(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// What an error message repeats of a text that a stranger sent.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN_CHARS: usize = 256;
    text.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Principal, Refusal> {
        Principal::parse(text, Partition::Aws)
    }

    #[test]
    fn every_accepted_form_keeps_its_text() {
        for text in [
            "222222222222",
            "arn:aws:organizations::111111111111:organization/o-abcdefghij",
            "arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-ab12-abcdefgh",
            "arn:aws:iam::222222222222:role/path/Name",
            "arn:aws:iam::222222222222:user/Name",
            "pca-connector-ad.amazonaws.com",
        ] {
            assert_eq!(parse(text).map(|p| p.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    // AWS: look-alikes that the console or other services take are malformed here (reference §1.2).
    #[test]
    fn look_alikes_are_malformed() {
        for text in [
            "",
            "22222222222",
            "2222222222222",
            "o-abcdefghij",
            "ou-ab12-abcdefgh",
            "arn:aws:iam::222222222222:root",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:iam::222222222222:role/deplo?",
            "arn:aws:iam::222222222222user/Name",
            "arn:aws-cn:iam::222222222222:role/Name",
            "arn:aws:organizations::111111111111:organization/o-short",
            "arn:aws:organizations::111111111111:organization/o-abcdefghij/ou-ab12-abcdefgh",
            "arn:aws:organizations::111111111111:root/o-abcdefghij/r-ab12",
            ".amazonaws.com",
            "Upper.amazonaws.com",
            "*",
        ] {
            assert_eq!(parse(text), Err(Refusal::PrincipalMalformed { principal: text.to_owned() }));
        }
    }
}
