//! Accounts and access keys that the store knows.
//!
//! A long-term key id carries its account, as AWS's do: the store finds the key's partition from the id alone.

use rampart_aws::AccountId;
use rampart_aws::timestamp::TimestampMs;
use serde::{Deserialize, Serialize};

/// What a long-term key's id begins with.
const LONG_TERM: &str = "AKIA";
/// What the id of a session's key begins with.
const SESSION: &str = "ASIA";
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BODY_CHARS: usize = 16;

/// An account that was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// A name for people; may be empty.
    pub name: String,
    /// When it was registered.
    pub created: TimestampMs,
}

/// A long-term credential. Its secret is sealed: only the holder of the master key can open it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`, 20 characters.
    pub id: String,
    /// Whose calls it signs.
    pub account: AccountId,
    /// The user it belongs to; the account's root when empty.
    pub user: String,
    /// The secret, encrypted under the store's master key. Not part of the change log.
    #[serde(skip)]
    pub sealed_secret: Vec<u8>,
    /// Whether it may still sign.
    pub active: bool,
    /// When it was made.
    pub created: TimestampMs,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// Makes the id of a new key of `account` from random bytes: 40 bits of the account, 40 random bits.
pub fn access_key_id(account: AccountId, random: [u8; 5]) -> String {
    key_id(LONG_TERM, account, random)
}

/// Makes the id of a new session's key in the same way.
pub fn session_key_id(account: AccountId, random: [u8; 5]) -> String {
    key_id(SESSION, account, random)
}

fn key_id(prefix: &str, account: AccountId, random: [u8; 5]) -> String {
    let number: u64 = account.as_str().bytes().fold(0, |n, digit| n * 10 + u64::from(digit - b'0'));
    let mut bits = u128::from(number) << 40;
    bits |= random.iter().fold(0_u128, |n, byte| (n << 8) | u128::from(*byte));
    let mut id = String::from(prefix);
    for place in (0..BODY_CHARS).rev() {
        let index = usize::try_from((bits >> (5 * place)) & 31).expect("five bits fit");
        id.push(char::from(ALPHABET[index]));
    }
    id
}

/// The account that an id made by [`access_key_id`] names, or `None` for any other text.
pub fn account_of_access_key(id: &str) -> Option<AccountId> {
    account_of(id.strip_prefix(LONG_TERM)?)
}

/// The account that an id made by [`session_key_id`] names, or `None` for any other text.
pub fn account_of_session_key(id: &str) -> Option<AccountId> {
    account_of(id.strip_prefix(SESSION)?)
}

fn account_of(body: &str) -> Option<AccountId> {
    if body.len() != BODY_CHARS {
        return None;
    }
    let mut bits: u128 = 0;
    for letter in body.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = (bits << 5) | u128::try_from(value).expect("below 32");
    }
    format!("{:012}", bits >> 40).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_names_its_account() {
        for account in ["000000000000", "111111111111", "999999999999"] {
            let account: AccountId = account.parse().unwrap();
            for random in [[0; 5], [255; 5], [1, 2, 3, 4, 5]] {
                let id = access_key_id(account, random);
                assert_eq!(id.len(), 20);
                assert_eq!(account_of_access_key(&id), Some(account));
                assert_eq!(account_of_session_key(&id), None);
                let id = session_key_id(account, random);
                assert!(id.starts_with("ASIA"));
                assert_eq!((account_of_access_key(&id), account_of_session_key(&id)), (None, Some(account)));
            }
        }
    }

    #[test]
    fn other_texts_name_none() {
        for id in [
            "",
            "AKIA",
            "111111111111",
            "AKIAIOSFODNN7EXAMPLE1",
            "akiaiosfodnn7example",
            "AKIA1111111111111111",
        ] {
            assert_eq!(account_of_access_key(id), None, "{id}");
        }
        // Sixteen letters that stand for a number above 999999999999.
        assert_eq!(account_of_access_key("AKIA7777777777777777"), None);
    }
}
