//! The code and the text of each refusal of a resource's own policy, and of what RAM made of it.

use rampart_core::refusal::PolicyRefusal;

use super::{Codes, LIMIT};

const INVALID_POLICY: Codes = &["InvalidPolicyException"];

pub(super) fn of(refusal: &PolicyRefusal) -> (Codes, String) {
    use PolicyRefusal as P;
    match refusal {
        P::TooLong { limit } => (INVALID_POLICY, format!("A policy has at most {limit} bytes.")),
        P::Malformed { reason } => (INVALID_POLICY, format!("The policy is malformed: {reason}")),
        P::NotShareable { statement, reason } => {
            (INVALID_POLICY, format!("Statement {statement} cannot be a resource share: {reason}."))
        }
        P::TooManyPrincipals { limit } => {
            (LIMIT, format!("A policy names at most {limit} principals and sources."))
        }
        P::TooManyGrants { limit } => {
            (LIMIT, format!("A policy has at most {limit} statements that allow different things."))
        }
        P::NothingGranted => (INVALID_POLICY, "The policy grants nothing.".to_owned()),
        P::NotFound { arn } => {
            (&["ResourceArnNotFoundException"], format!("Resource {arn} has no policy of its own."))
        }
        P::Unmatched { share } => (
            &["UnmatchedPolicyPermissionException"],
            format!(
                "No managed permission grants exactly what {share} does. Promote its permission with \
                 PromotePermissionCreatedFromPolicy first."
            ),
        ),
    }
}
