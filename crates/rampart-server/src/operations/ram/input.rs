//! Checks that many operations share, on members as they came.

use rampart_core::limits::FILTER_ARNS_MAX;
use rampart_core::{InvitationArn, Refusal, ShareArn};

/// A member that the model requires.
pub(super) fn required<T>(member: Option<T>, parameter: &'static str) -> Result<T, Refusal> {
    member.ok_or(Refusal::ParameterMissing { parameter })
}

/// A share's ARN. One of another Region is well-formed, but no share of it is found here.
pub(super) fn share_arn(text: &str) -> Result<ShareArn, Refusal> {
    ShareArn::parse(text).ok_or(Refusal::ShareArnMalformed)
}

/// An invitation's ARN.
pub(super) fn invitation_arn(text: &str) -> Result<InvitationArn, Refusal> {
    InvitationArn::parse(text)
        .ok_or_else(|| Refusal::InvitationArnMalformed { arn: text.chars().take(256).collect() })
}

/// A filter of many values, without repetitions and in a stable order. No values are no filter.
pub(super) fn filter_values(
    values: Option<Vec<String>>,
    parameter: &'static str,
) -> Result<Option<Vec<String>>, Refusal> {
    let Some(mut values) = values.filter(|values| !values.is_empty()) else { return Ok(None) };
    if values.len() > FILTER_ARNS_MAX {
        return Err(Refusal::TooManyFilterValues { parameter, values: values.len() });
    }
    values.sort_unstable();
    values.dedup();
    Ok(Some(values))
}
