//! The code and the text of each refusal of a call on a permission. AWS's texts are not known (reference §16).

use rampart_core::refusal::PermissionRefusal;
use rampart_policy::template::TemplateError;

use super::{Codes, INVALID_PARAMETER, NOT_PERMITTED};

const LIMIT: Codes = &["PermissionLimitExceededException", "OperationNotPermittedException"];
/// Where OperationNotPermitted is not modelled, the parameter is at fault (reference §10.22).
const NOT_PERMITTED_OR_INVALID: Codes = &["OperationNotPermittedException", "InvalidParameterException"];

pub(super) fn of(refusal: &PermissionRefusal) -> (Codes, String) {
    use PermissionRefusal as P;
    match refusal {
        P::NameInvalid { name } => (
            INVALID_PARAMETER,
            format!(
                "{name:?} is not a valid permission name: it has 1 to 36 letters, digits, underscores, dots and hyphens."
            ),
        ),
        P::Exists { name } => (
            // AWS: PromotePermissionCreatedFromPolicy models neither this nor the quota.
            &["PermissionAlreadyExistsException", "InvalidParameterException"],
            format!("A permission with the name {name} already exists in this Region."),
        ),
        P::CustomerManagedUnsupported { resource_type } => (
            INVALID_PARAMETER,
            format!("The resource type {resource_type} does not support customer managed permissions."),
        ),
        P::Template(TemplateError::Malformed(error)) => (
            &["MalformedPolicyTemplateException", "InvalidPolicyException"],
            format!("The policy template is malformed: {error}"),
        ),
        P::Template(TemplateError::Invalid(error)) => {
            (&["InvalidPolicyException"], format!("The policy template is not valid: {error}"))
        }
        P::ActionUnsupported { action, resource_type } => (
            &["InvalidPolicyException"],
            format!("The action {action} is not supported for the resource type {resource_type}."),
        ),
        P::Parameters(error) => {
            (INVALID_PARAMETER, format!("The template parameters are not valid: {error}."))
        }
        P::ParametersOfUnattached { arn } => (
            INVALID_PARAMETER,
            format!("Template parameters are given for {arn}, which is not among permissionArns."),
        ),
        P::ParameterTypeInvalid { value } => (
            INVALID_PARAMETER,
            format!("{value} is not a valid template parameter type. Specify either STRING or STRING_LIST."),
        ),
        P::DescriptionLength { chars } => (
            INVALID_PARAMETER,
            format!("The description of a template parameter has at most 1024 characters, not {chars}."),
        ),
        P::QuotaExceeded { quota, limit } => {
            (LIMIT, format!("You have reached the limit of {limit} {quota}."))
        }
        P::TooManyVersions { limit } => (
            &["PermissionVersionsLimitExceededException"],
            format!("A permission has at most {limit} versions. Delete one that is no longer used."),
        ),
        P::NotOwn { arn } => {
            (NOT_PERMITTED_OR_INVALID, format!("{arn} is managed by AWS: you cannot change it."))
        }
        P::VersionInvalid { value } => {
            (INVALID_PARAMETER, format!("{value:?} is not the number of a permission version."))
        }
        P::VersionIsDefault { version } => (
            NOT_PERMITTED,
            format!(
                "Version {version} is the default version of the permission: make another version the default first."
            ),
        ),
        P::VersionAttached { version } => (
            NOT_PERMITTED,
            format!("Version {version} of the permission is associated with resource shares."),
        ),
        P::Attached { name } => {
            (NOT_PERMITTED, format!("Permission {name} is associated with resource shares."))
        }
        P::Deprecated { name } => (
            NOT_PERMITTED,
            format!("Permission {name} is deprecated: it cannot be associated with resource shares."),
        ),
        P::FromPolicy { name } => (
            NOT_PERMITTED_OR_INVALID,
            format!(
                "Permission {name} was created from a resource-based policy. Promote it to use or change it."
            ),
        ),
        P::NotFromPolicy { name } => {
            (INVALID_PARAMETER, format!("Permission {name} was not created from a resource-based policy."))
        }
        P::StatusInvalid { value } => (
            INVALID_PARAMETER,
            format!("{value} is not a valid permission status. Specify either ATTACHABLE or DEPRECATED."),
        ),
        P::TypesDiffer { from, to } => {
            (INVALID_PARAMETER, format!("The permissions are for different resource types: {from} and {to}."))
        }
        P::WorkStatusInvalid { value } => (
            INVALID_PARAMETER,
            format!("{value} is not a valid status. Specify one of IN_PROGRESS, COMPLETED and FAILED."),
        ),
    }
}
