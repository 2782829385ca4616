//! Checks that many operations share, on members as they came.

use rampart_core::catalog::RegionScope;
use rampart_core::limits::FILTER_ARNS_MAX;
use rampart_core::{Arn, InvitationArn, Refusal, ShareArn};

/// A member that the model requires.
pub(crate) fn required<T>(member: Option<T>, parameter: &'static str) -> Result<T, Refusal> {
    member.ok_or(Refusal::ParameterMissing { parameter })
}

/// A share's ARN. One of another Region is well-formed, but no share of it is found here.
pub(super) fn share_arn(text: &str) -> Result<ShareArn, Refusal> {
    ShareArn::parse(text).ok_or(Refusal::ShareArnMalformed)
}

/// Checks that a resource is named by an ARN, whatever it is.
pub(super) fn check_resource_arn(text: &str) -> Result<(), Refusal> {
    let malformed = |_| Refusal::ResourceArnMalformed { arn: text.chars().take(256).collect() };
    Arn::parse(text).map(drop).map_err(malformed)
}

/// An invitation's ARN.
pub(crate) fn invitation_arn(text: &str) -> Result<InvitationArn, Refusal> {
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
        let limit = FILTER_ARNS_MAX;
        return Err(Refusal::TooManyFilterValues { parameter, values: values.len(), limit });
    }
    values.sort_unstable();
    values.dedup();
    Ok(Some(values))
}

/// `ALL`, the default, is no restriction.
pub(super) fn region_scope(text: Option<&str>) -> Result<Option<RegionScope>, Refusal> {
    match text {
        None | Some("ALL") => Ok(None),
        Some("REGIONAL") => Ok(Some(RegionScope::Regional)),
        Some("GLOBAL") => Ok(Some(RegionScope::Global)),
        Some(other) => Err(Refusal::RegionScopeInvalid { value: other.chars().take(64).collect() }),
    }
}

/// Whether a list is of the caller's own (`SELF`) or of what others share with it (`OTHER-ACCOUNTS`).
pub(super) fn resource_owner(text: Option<&str>) -> Result<bool, Refusal> {
    match required(text, "resourceOwner")? {
        "SELF" => Ok(true),
        "OTHER-ACCOUNTS" => Ok(false),
        other => Err(Refusal::ResourceOwnerInvalid { value: other.chars().take(64).collect() }),
    }
}

/// The statuses of the model. The last four are never had here, so they find none.
const ASSOCIATION_STATUSES: [&str; 8] = [
    "ASSOCIATING",
    "ASSOCIATED",
    "DISASSOCIATING",
    "DISASSOCIATED",
    "FAILED",
    "SUSPENDED",
    "SUSPENDING",
    "RESTORING",
];

/// Checks a filter by association status.
pub(super) fn association_status(text: Option<&str>) -> Result<(), Refusal> {
    match text.filter(|text| !ASSOCIATION_STATUSES.contains(text)) {
        Some(other) => Err(Refusal::AssociationStatusInvalid { value: other.chars().take(64).collect() }),
        None => Ok(()),
    }
}
