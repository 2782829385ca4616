//! The operations of STS: who am I.

mod get_caller_identity;

use rampart_aws::query::Form;

use crate::app::Call;
use crate::failure::Failure;

/// The namespace of STS's answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The operations of STS that are answered here, by the name in `Action`.
pub static STS: &[&str] = &[get_caller_identity::NAME];

/// Runs the operation that `Action` names.
pub(crate) fn handle(call: &Call, form: &Form) -> Result<String, Failure> {
    match form.action() {
        Some(get_caller_identity::NAME) => Ok(get_caller_identity::handle(call)),
        Some(action) => Err(Failure::UnknownOperation(action.chars().take(64).collect())),
        None => Err(Failure::UnknownOperation("a request without an Action".to_owned())),
    }
}
