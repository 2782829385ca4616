//! The operations of Organizations, a file for each noun. Only the management account may call most of them: what the
//! others have in common stands in `managing.rs`.

pub(crate) mod accounts;
pub(crate) mod create_account;
pub(crate) mod handshakes;
pub(crate) mod leaving;
pub(crate) mod organization;
pub(crate) mod organizational_units;
pub(crate) mod policies;
pub(crate) mod policy_attachments;
pub(crate) mod policy_types;
pub(crate) mod service_access;
pub(crate) mod tags;

mod input;
mod managing;
mod pages;
mod shapes;
mod tree;
