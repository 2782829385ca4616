//! The policies that a caller stands under, compiled.

use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rampart_core::iam::{IdentityPolicy, ManagedPolicy};
use rampart_policy::{Document, PolicySet};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Documents kept compiled.
const CACHED_POLICIES: usize = 4_000;
/// Bytes of their texts at the most. Compiled they take a few times as much.
const CACHED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Compiled documents by the digest of their text.
pub(crate) struct PolicyCache(Cache<[u8; 32], CompiledPolicy, ByText>);

/// A document, ready to decide.
#[derive(Clone)]
pub(crate) struct CompiledPolicy {
    set: Arc<PolicySet>,
    text_bytes: usize,
}

impl CompiledPolicy {
    pub(crate) fn set(&self) -> &PolicySet {
        &self.set
    }
}

impl fmt::Debug for CompiledPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompiledPolicy({} bytes)", self.text_bytes)
    }
}

#[derive(Clone)]
struct ByText;

impl Weighter<[u8; 32], CompiledPolicy> for ByText {
    fn weight(&self, _: &[u8; 32], policy: &CompiledPolicy) -> u64 {
        u64::try_from(policy.text_bytes).unwrap_or(u64::MAX).max(1)
    }
}

impl PolicyCache {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(CACHED_POLICIES, CACHED_BYTES_MAX, ByText))
    }

    /// Compiles a document that was checked when it was written. One that does not compile lets nobody pass.
    pub(crate) fn compile(&self, text: &str) -> Result<CompiledPolicy, Failure> {
        let digest: [u8; 32] = Sha256::digest(text).into();
        if let Some(known) = self.0.get(&digest) {
            return Ok(known);
        }
        let unusable = |error: &dyn fmt::Display| {
            tracing::error!(%error, "a stored policy cannot be used");
            Failure::Internal
        };
        let document = Document::parse(text).map_err(|error| unusable(&error))?;
        let set = PolicySet::compile([&document]).map_err(|error| unusable(&error))?;
        let compiled = CompiledPolicy { set: Arc::new(set), text_bytes: text.len() };
        self.0.insert(digest, compiled.clone());
        Ok(compiled)
    }

    pub(crate) fn compile_all<'t>(
        &self,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<CompiledPolicy>, Failure> {
        texts.into_iter().map(|text| self.compile(text)).collect()
    }
}

/// What a caller may do.
#[derive(Debug)]
pub(crate) enum Grants {
    /// Everything: open mode asks nobody.
    All,
    /// What all of these allow.
    Policies {
        /// Service control policies, from the organization's root to the account: each level must allow.
        control: Vec<Vec<CompiledPolicy>>,
        /// The policies of the user or the role; none for an account's root, which needs none.
        identity: Option<Vec<CompiledPolicy>>,
        /// The session's policies, if it was given some.
        session: Option<Vec<CompiledPolicy>>,
    },
}

impl Grants {
    /// What these policies allow together: service control policies level by level, those of the user or role, those of
    /// the session, if it has some.
    pub(super) fn compile(
        cache: &PolicyCache,
        control: &[Vec<String>],
        identity: Option<&[IdentityPolicy]>,
        session: &[String],
    ) -> Result<Self, Failure> {
        let compile = |texts: &[String]| cache.compile_all(texts.iter().map(String::as_str));
        Ok(Self::Policies {
            control: control.iter().map(|level| compile(level)).collect::<Result<_, _>>()?,
            identity: identity
                .map(|policies| cache.compile_all(policies.iter().filter_map(text_of)))
                .transpose()?,
            session: (!session.is_empty()).then(|| compile(session)).transpose()?,
        })
    }
}

/// A policy's text. A managed policy that this build does not know allows nothing.
fn text_of(policy: &IdentityPolicy) -> Option<&str> {
    let managed = || ManagedPolicy::named(policy.name.as_str()).map(|managed| managed.document);
    policy.document.as_deref().or_else(managed)
}
