//! Why a call on a permission is refused.

use rampart_policy::template::{ParameterError, TemplateError};

/// A fact that stands in the way of a call on a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the fact and its members say what they hold")]
pub enum PermissionRefusal {
    NameInvalid { name: String },
    Exists { name: String },
    CustomerManagedUnsupported { resource_type: String },
    Template(TemplateError),
    ActionUnsupported { action: String, resource_type: String },
    Parameters(ParameterError),
    ParametersOfUnattached { arn: String },
    ParameterTypeInvalid { value: String },
    DescriptionLength { chars: usize },
    QuotaExceeded { quota: &'static str, limit: u32 },
    TooManyVersions { limit: u32 },
    NotOwn { arn: String },
    VersionInvalid { value: String },
    VersionIsDefault { version: u32 },
    VersionAttached { version: u32 },
    Attached { name: String },
    Deprecated { name: String },
    FromPolicy { name: String },
    NotFromPolicy { name: String },
    StatusInvalid { value: String },
    TypesDiffer { from: String, to: String },
    WorkStatusInvalid { value: String },
}
