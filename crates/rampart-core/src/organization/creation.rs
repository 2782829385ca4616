//! Requests to create an account. They are decided at once; the row tells who asks later.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use serde::{Deserialize, Serialize};

use super::refusal::Fault;
use super::{CreationId, OrganizationRefusal};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreationOutcome {
    /// The account is there.
    Succeeded(AccountId),
    /// Another account of the organization has the address.
    EmailAlreadyExists,
}

/// A request to create an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCreation {
    /// Who asked.
    pub management: AccountId,
    /// `car-…`
    pub id: CreationId,
    /// The account's name.
    pub name: String,
    /// When it was asked for, and decided.
    pub requested: TimestampMs,
    /// What came of it.
    pub outcome: CreationOutcome,
}

impl AccountCreation {
    /// The word on the wire.
    pub fn state(&self) -> &'static str {
        match self.outcome {
            CreationOutcome::Succeeded(_) => "SUCCEEDED",
            CreationOutcome::EmailAlreadyExists => "FAILED",
        }
    }
}

/// Refuses what is no address of a root user.
pub fn check_email(email: &str) -> Result<(), OrganizationRefusal> {
    let invalid = |fault| Err(OrganizationRefusal::Invalid { parameter: "Email", fault });
    match email.chars().count() {
        0..6 => return invalid(Fault::TooShort { min: 6 }),
        6..=64 => {}
        _ => return invalid(Fault::TooLong { max: 64 }),
    }
    if is_email(email) { Ok(()) } else { invalid(Fault::Pattern) }
}

// AWS: the rules of CreateAccount's documentation.
fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_graphic() && !b"\"'()<>[]:;,\\|%&@".contains(&byte);
    let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let ends = |text: &str| text.starts_with(['-', '.']) || text.ends_with(['-', '.']);
    !local.is_empty()
        && local.bytes().all(is_local)
        && !local.starts_with('.')
        && domain.contains('.')
        && domain.bytes().all(is_domain)
        && !ends(domain)
}

/// Refuses what is no name of an account.
pub fn check_account_name(name: &str) -> Result<(), OrganizationRefusal> {
    let fault = match name.chars().count() {
        0 => Fault::TooShort { min: 1 },
        1..=50 if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => return Ok(()),
        1..=50 => Fault::Pattern,
        _ => Fault::TooLong { max: 50 },
    };
    Err(OrganizationRefusal::Invalid { parameter: "AccountName", fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names() {
        for good in ["a@b.co", "first.last+tag@mail.example.com", "x_y-z@a-b.example"] {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(60));
        for bad in [
            "",
            "a@b.c",
            "no-at.example",
            "two@at@example.com",
            ".dot@example.com",
            "a b@example.com",
            "a@-b.com",
            "a@example.com.",
            "a@localhost",
            "é@example.com",
            &long,
        ] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
        assert!(check_account_name("a").is_ok() && check_account_name(&"a".repeat(50)).is_ok());
        for bad in ["", "é", "tab\t", &"a".repeat(51)] {
            assert!(check_account_name(bad).is_err(), "{bad:?}");
        }
    }
}
