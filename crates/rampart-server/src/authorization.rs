//! Who may do what, in strict mode: each call is held against the policies that its caller stands under, before anything
//! is looked for. Open mode asks nobody.
//!
//! [`asks`] says what an operation needs: actions on resources, each under its own condition keys. All of it must be
//! allowed by the service control policies of every level above the account, by the policies of the user or role, and
//! by the session's; an explicit denial of any of them decides.

mod asks;
mod context;
mod iam;
mod organizations;
mod ram;
mod rampart;
mod trust;
mod verdict;

pub(crate) use self::asks::Ask;
pub(crate) use self::context::of_call as base_context;
pub(crate) use self::trust::{Trust, trust};
pub(crate) use self::verdict::verdict;

use crate::app::App;
use crate::failure::Failure;
use crate::identity::{Grants, Who};
use crate::operations::{Request, Service};

/// Refuses a call that its caller may not make.
pub(crate) async fn authorize(app: &App, request: &Request) -> Result<(), Failure> {
    let (caller, operation) = (&request.call.caller, request.call.operation);
    // AWS: who has the temporary credentials of a user or a root, without MFA, cannot call IAM.
    let is_own_session = caller.session.is_some() && !matches!(caller.who, Who::Role { .. });
    if is_own_session && operation.service == Service::Iam {
        return Err(Failure::UnknownKey);
    }
    if caller.grants.allow_everything() {
        return Ok(());
    }
    let base = context::of_call(&request.call);
    for ask in asks::of(app, request).await? {
        verdict(&request.call, &base, &ask).map_err(|denial| denial.failure(&request.call, &ask))?;
    }
    Ok(())
}

impl Grants {
    /// Whether no policy could deny anything.
    fn allow_everything(&self) -> bool {
        match self {
            Self::All => true,
            Self::Policies { control, identity, session } => {
                control.is_empty() && identity.is_none() && session.is_none()
            }
        }
    }
}
