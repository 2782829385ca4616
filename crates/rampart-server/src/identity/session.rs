//! Temporary credentials. All that a session is stands in its token, sealed: nothing is stored of it, and whoever has
//! the master key can check it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rampart_core::access_key::session_key_id;
use rampart_core::iam::{IamName, IamPath};
use rampart_core::{AccountId, TimestampMs};
use rampart_store::MasterKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Entropy;

/// What our tokens begin with, so that one that does not open is told from other people's.
const PREFIX: &str = "rampart1";
/// Letters of a secret: 40 of 64 kinds, 240 random bits, as AWS's.
const SECRET_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SECRET_CHARS: usize = 40;

/// For whom a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionBearer {
    /// The account's root.
    Root,
    /// A user.
    User { name: IamName, id: String },
    /// Whoever assumed a role. `stored` says that the role was in the store: then it must be there still.
    Role { name: IamName, path: IamPath, id: String, session_name: String, stored: bool },
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) bearer: SessionBearer,
    #[serde(with = "milliseconds")]
    pub(crate) issued: TimestampMs,
    #[serde(with = "milliseconds")]
    pub(crate) expires: TimestampMs,
    /// Documents that must allow, too, what the bearer's own policies allow; none of them is no restriction.
    pub(crate) policies: Vec<String>,
}

/// What a token holds.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    secret: &'a str,
    session: Session,
}

/// A session with the credentials that are its holder's.
pub(crate) struct IssuedSession {
    pub(crate) access_key_id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) token: String,
    pub(crate) expires: TimestampMs,
}

/// Whether a session token claims to be ours.
pub(super) fn is_token(token: &str) -> bool {
    token.starts_with(PREFIX)
}

impl Session {
    /// Makes a key for the session, and seals both into a token.
    pub(super) fn issue(self, key: &MasterKey, account: AccountId, entropy: &Entropy) -> IssuedSession {
        let mut random = [0; 5];
        entropy.fill(&mut random);
        let access_key_id = session_key_id(account, random);
        let (secret, expires) = (new_secret(entropy), self.expires);
        let sealed = Sealed { secret: &secret, session: self };
        let text = serde_json::to_string(&sealed).map(Zeroizing::new).expect("a session serializes");
        let token = PREFIX.to_owned() + &STANDARD.encode(key.seal(&text, &context(&access_key_id)));
        IssuedSession { access_key_id, secret, token, expires }
    }

    /// Opens the token of the key with this id, and gives the key's secret. `None` when it was not issued by us, for
    /// that key.
    pub(super) fn open(
        key: &MasterKey,
        access_key_id: &str,
        token: &str,
    ) -> Option<(Zeroizing<String>, Self)> {
        let sealed = STANDARD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let text = key.open(&sealed, &context(access_key_id)).ok()?;
        let Sealed { secret, session } = serde_json::from_str(&text).ok()?;
        Some((Zeroizing::new(secret.to_owned()), session))
    }
}

/// What a token is bound to: its key's id, and that it is a session's, not a stored key.
fn context(access_key_id: &str) -> String {
    format!("session {access_key_id}")
}

/// A fresh secret access key.
pub(crate) fn new_secret(entropy: &Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; SECRET_CHARS]);
    entropy.fill(bytes.as_mut());
    Zeroizing::new(bytes.iter().map(|byte| char::from(SECRET_LETTERS[usize::from(byte & 63)])).collect())
}

/// Times as whole milliseconds: what AWS's clients get as seconds would lose some.
mod milliseconds {
    use rampart_core::TimestampMs;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    pub(super) fn serialize<S: Serializer>(at: &TimestampMs, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimestampMs, D::Error> {
        i64::deserialize(deserializer).map(TimestampMs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_its_own_key_alone() {
        let (key, entropy) = (MasterKey::generate(), Entropy::system());
        let session = Session {
            bearer: SessionBearer::Root,
            issued: TimestampMs(1_001),
            expires: TimestampMs(2_003),
            policies: vec!["{\"ü\": \"\\\\\"}".to_owned()],
        };
        let issued = session.clone().issue(&key, "111111111111".parse().unwrap(), &entropy);
        let (secret, opened) = Session::open(&key, &issued.access_key_id, &issued.token).unwrap();
        assert_eq!((secret, opened), (issued.secret.clone(), session));
        assert_eq!(issued.secret.len(), 40);
        assert!(is_token(&issued.token));

        let other = issued.access_key_id.replace("ASIA", "ASIB");
        assert_eq!(Session::open(&key, &other, &issued.token), None);
        assert_eq!(Session::open(&MasterKey::generate(), &issued.access_key_id, &issued.token), None);
        for at in 0..issued.token.len() {
            let mut altered = issued.token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(Session::open(&key, &issued.access_key_id, &altered), None, "{at}");
        }
    }
}
