//! The operations of STS: who am I.

pub(crate) mod get_caller_identity;

/// The namespace of STS's answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
