//! Secrets at rest: sealed under a master key that the store does not hold.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::random::random_bytes;

const NONCE_BYTES: usize = 12;

/// 32 bytes that open the store's secrets. Comes from the environment or a file, never from the store.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

/// Why a master key cannot be used, or a secret not be opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MasterKeyError {
    /// The text is not one.
    #[error("a master key is 32 bytes in base64")]
    Malformed,
    /// It is not the one that sealed this secret.
    #[error("the master key does not open this secret: it was sealed under another one")]
    WrongKey,
}

impl MasterKey {
    /// Reads the base64 form.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Malformed)?);
        let key = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(key))
    }

    /// One of these bytes, which must be as good as random.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    pub fn generate() -> Self {
        Self(random_bytes())
    }

    /// The base64 form, to be stored where only the operator can read.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0))
    }

    /// Seals `secret`. `context` (a key id) is bound to it: a sealed secret cannot be moved to another row.
    pub fn seal(&self, secret: &str, context: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let payload = Payload { msg: secret.as_bytes(), aad: context.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).expect("a short text can be sealed");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`Self::seal`] made.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<String>, MasterKeyError> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(MasterKeyError::WrongKey)?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        let secret =
            self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| MasterKeyError::WrongKey)?;
        String::from_utf8(secret).map(Zeroizing::new).map_err(|_| MasterKeyError::WrongKey)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_context_alone() {
        let key = MasterKey::generate();
        let sealed = key.seal("secret", "AKIA1");
        assert_eq!(key.open(&sealed, "AKIA1").as_deref().map(String::as_str), Ok("secret"));
        assert_eq!(key.open(&sealed, "AKIA2"), Err(MasterKeyError::WrongKey));
        assert_eq!(MasterKey::generate().open(&sealed, "AKIA1"), Err(MasterKeyError::WrongKey));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(key.open(&altered, "AKIA1"), Err(MasterKeyError::WrongKey));
        }
        assert_eq!(key.open(&[], "AKIA1"), Err(MasterKeyError::WrongKey));
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let key = MasterKey::generate();
        assert_ne!(key.seal("secret", "AKIA1"), key.seal("secret", "AKIA1"));
    }

    #[test]
    fn the_text_form_comes_back() {
        let key = MasterKey::generate();
        let again = MasterKey::parse(&key.to_base64()).unwrap();
        assert_eq!(again.open(&key.seal("s", "c"), "c").as_deref().map(String::as_str), Ok("s"));
        assert_eq!(MasterKey::parse("short").unwrap_err(), MasterKeyError::Malformed);
    }
}
