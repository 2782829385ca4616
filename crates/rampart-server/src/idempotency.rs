//! Asking twice changes things once: the first answer to a client token is remembered and given again (reference §2.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rampart_core::limits::{CLIENT_TOKEN_CHARS_MAX, CLIENT_TOKEN_KEPT_MS, INVOCATION_ID_KEPT_MS};
use rampart_core::{Refusal, TimestampMs};
use rampart_store::{Abort, Reader, RememberedAnswer, TokenScope, Transaction};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::{App, Call};

/// What makes a call the same call.
pub(crate) struct Once {
    scope: Option<TokenScope>,
    request_hash: [u8; 32],
    now: TimestampMs,
    kept_ms: i64,
}

impl Once {
    /// `canonical` is the request as compared with a later one: without the token, set-like lists sorted.
    ///
    /// A call without a token is told from another by the id that SDKs give all attempts of one call, together with
    /// its content: SDKs were seen to send a call again that had gone through (clients §4a).
    pub(crate) fn new(
        call: &Call,
        operation: &'static str,
        client_token: Option<&str>,
        canonical: &impl Serialize,
    ) -> Result<Self, Refusal> {
        let request_hash = digest(canonical);
        let (token, kept_ms) = match (client_token, &call.invocation_id) {
            (Some(token), _) if !is_token(token) => return Err(Refusal::ClientTokenInvalid),
            (Some(token), _) => (Some(token.to_owned()), CLIENT_TOKEN_KEPT_MS),
            (None, Some(id)) => {
                // Not a token that a caller could send: it holds spaces.
                let content = URL_SAFE_NO_PAD.encode(request_hash);
                (Some(format!("invocation {id} {content}")), INVOCATION_ID_KEPT_MS)
            }
            (None, None) => (None, 0),
        };
        let scope =
            token.map(|token| TokenScope { account: call.account, region: call.region, operation, token });
        Ok(Self { scope, request_hash, now: call.now, kept_ms })
    }

    /// The first answer, if this call was answered before.
    pub(crate) async fn recall(&self, reader: &Reader) -> Result<Option<String>, Abort> {
        let Some(scope) = &self.scope else { return Ok(None) };
        let mut answers = reader.remembered_answers(scope, self.now).await?;
        match answers.iter().position(|first| bool::from(first.request_hash.ct_eq(&self.request_hash))) {
            Some(same) => Ok(Some(answers.swap_remove(same).answer)),
            None if answers.is_empty() => Ok(None),
            None => Err(Refusal::ClientTokenReused.into()),
        }
    }

    /// A first answer that was recalled without a transaction, once it may be given: by operations that look around before
    /// they write.
    pub(crate) async fn confirmed(&self, app: &App, answer: String) -> Result<String, Abort> {
        if let Some(scope) = &self.scope {
            app.store.confirm(app.store.partition_of(scope.account)).await?;
        }
        Ok(answer)
    }

    /// Writes the answer down with what it answers for, and gives it.
    pub(crate) async fn answer(&self, tx: &Transaction, reply: &impl Serialize) -> Result<String, Abort> {
        let answer = json(reply);
        if let Some(scope) = &self.scope {
            let remembered =
                RememberedAnswer { request_hash: self.request_hash.to_vec(), answer: answer.clone() };
            let expires = self.now.saturating_add_ms(self.kept_ms);
            tx.remember_answer(scope, &remembered, self.now, expires).await?;
        }
        Ok(answer)
    }
}

/// Digest of a canonical request.
fn digest(value: &impl Serialize) -> [u8; 32] {
    Sha256::digest(json(value)).into()
}

/// The JSON of one of our own structs, with the newline that AWS ends bodies with (reference §2.1).
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("wire structs have text keys and no failing members");
    text.push('\n');
    text
}

// AWS: the rule is unknown; 1–64 printable ASCII characters is the recommended choice (reference §2.2).
fn is_token(text: &str) -> bool {
    (1..=CLIENT_TOKEN_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
