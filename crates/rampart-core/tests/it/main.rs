//! Properties of the rules, on random shares.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by stopping")]

mod catalog_file;
mod policy_share;
mod resource_policy;
