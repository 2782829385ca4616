//! Users, roles and their policies: what of IAM the clients of RAM need, pure.
//!
//! Users and roles are [`Identity`]s of an account. What they may do is told by their [`policy`] documents, which the
//! policy language decides (crate `rampart-policy`); nothing here evaluates any.

pub mod access_role;
pub mod identity;
pub mod name;
pub mod policy;
pub mod quota;
pub mod refusal;
pub mod service_linked;

pub use identity::{Identity, IdentityKind, Nature, RoleTerms};
pub use name::{IamName, IamPath};
pub use policy::{IdentityPolicy, ManagedPolicy};
pub use quota::{IamQuotas, IamUsage};
pub use refusal::IamRefusal;
