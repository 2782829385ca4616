//! Who may assume a role: what its trust policy says to a caller.

use rampart_policy::document::{Effect, PrincipalKind, Principals, Selection};
use rampart_policy::{Context, Decision, Document, PolicySet, Principal, Request};

use crate::app::Call;
use crate::failure::Failure;

/// What a trust policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Not this one.
    Refused,
    /// The caller's account: its own policies must allow it, too.
    Account,
    /// The caller itself, by its own ARN or as anybody: enough within one account.
    Itself,
}

/// Holds a caller against the trust policy of the role with this ARN.
pub(crate) fn trust(call: &Call, context: &Context, policy: &str, role: &str) -> Result<Trust, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, role, "a stored trust policy cannot be used");
        Failure::Internal
    };
    let document = Document::parse(policy).map_err(|error| unusable(&error))?;
    let itself = PolicySet::compile([&naming_callers_only(&document)]).map_err(|error| unusable(&error))?;
    let whole = PolicySet::compile([&document]).map_err(|error| unusable(&error))?;
    let partition = call.region.partition();
    let (arn, principal_arn) = (call.caller.arn(partition), call.caller.principal_arn(partition));
    let request = Request {
        principal: Principal::from_arn(&arn).unwrap_or_else(Principal::anonymous).with_role(&principal_arn),
        action: "sts:AssumeRole",
        resource: role,
        context,
    };
    Ok(match (whole.decide(&request), itself.decide(&request)) {
        (Decision::Allow(_), Decision::Allow(_)) => Trust::Itself,
        (Decision::Allow(_), _) => Trust::Account,
        _ => Trust::Refused,
    })
}

/// The document without the grants to whole accounts: what is left names callers by their ARNs, or as anybody.
// AWS: a grant to anybody is one to each user and session directly, as in other policies of resources (reference §8).
fn naming_callers_only(document: &Document) -> Document {
    let mut document = document.clone();
    document.statements.retain_mut(|statement| match &mut statement.principals {
        Some(Selection::Only(Principals::Anyone)) => true,
        Some(Selection::Only(Principals::Named(kinds))) if statement.effect == Effect::Allow => {
            kinds.retain(|kind, _| *kind == PrincipalKind::Aws);
            for names in kinds.values_mut() {
                names.retain(|name| name == "*" || (name.starts_with("arn:") && !name.ends_with(":root")));
            }
            kinds.retain(|_, names| !names.is_empty());
            !kinds.is_empty()
        }
        _ => statement.effect == Effect::Deny,
    });
    document
}
