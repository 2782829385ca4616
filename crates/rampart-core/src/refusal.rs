//! Why a call is refused: facts with the ids they concern. Their AWS codes, HTTP statuses and texts stand in one
//! table at the edge.

use rampart_aws::{AccountId, Region};

use crate::iam::IamRefusal;
use crate::ids::{InvitationArn, ShareArn};
use crate::organization::OrganizationRefusal;

mod permission;
mod policy;

pub use permission::PermissionRefusal;
pub use policy::PolicyRefusal;

/// A fact that stands in the way of a call. A refused call changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the fact and its members say what they hold")]
pub enum Refusal {
    // What the caller wrote.
    ShareArnMalformed,
    InvitationArnMalformed { arn: String },
    ResourceArnMalformed { arn: String },
    ResourceTypeNotShareable { arn: String },
    ResourceNotOwned { arn: String, caller: AccountId },
    ResourceInOtherRegion { arn: String, region: Region },
    GlobalResourceOutsideHomeRegion { arn: String, home: &'static str },
    PrincipalMalformed { principal: String },
    PermissionArnMalformed { arn: String },
    PermissionTypeRepeated { resource_type: String },
    PermissionVersionNotDefault { permission: String },
    PermissionVersionNotFound { permission: String, version: i64 },
    PermissionKindInvalid { value: String },
    PermissionStatusInvalid { value: String },
    FeatureSetInvalid { value: String },
    OrganizationNotFound { id: String },
    OrganizationalUnitNotFound { id: String },
    OrganizationalUnitOfUnknownOrganization { id: String },
    ShareNameLength { chars: usize },
    ShareNameCharacter,
    TooManyTags { tags: usize },
    TagKeyReserved { key: String },
    TagKeyLength { chars: usize },
    TagValueLength { key: String, chars: usize },
    TagCharacter { key: String },
    TagKeyRepeated { key: String },
    TooManyResources { resources: usize },
    TooManyPrincipals { principals: usize },
    TooManyFilterValues { parameter: &'static str, values: usize, limit: usize },
    ParameterMissing { parameter: &'static str },
    EntitiesMissing,
    PageSizeOutOfRange { page_size: i64 },
    NextTokenInvalid,
    ClientTokenInvalid,
    ClientTokenReused,
    ResourceOwnerInvalid { value: String },
    AssociationTypeInvalid { value: String },
    AssociationStatusInvalid { value: String },
    ShareStatusInvalid { value: String },
    RegionScopeInvalid { value: String },
    ResourceArnWithPrincipalType,
    PrincipalWithResourceType,
    TagFilterKeyMissing,
    SourceMalformed { source: String },
    SourceTypeInvalid { value: String },
    ResourceTypeInvalid { value: String },
    TagTargetMissing,
    NothingToUpdate,
    RetainedSharingConfined,

    // What stands against it.
    ShareNotFound { share: ShareArn },
    ShareDeleted { share: ShareArn },
    PermissionNotFound { arn: String },
    PermissionNotAttached { permission: String },
    PermissionOfTypeAttached { resource_type: String },
    PermissionInUse { permission: String },
    EntityNotAssociated { entity: String, share: ShareArn },
    SharingOnlyInsideOrganization,
    PrincipalOutsideOrganization { principal: String },
    OutsidersPresent,
    RetainedSharingWithOrganization,
    ResourceTypeNotOutsideOrganization,
    OrganizationSharingDenied,
    ResourceTypeOnlyInsideOrganization { resource_type: String },
    ResourceTypeNotForIdentities,
    ResourceTypeNotForServices,
    ServicesMixedWithOthers,
    SourcesWithoutServices,
    LastSourceOfServices,
    QuotaExceeded { quota: &'static str, limit: u32 },
    TooManyPendingInvitations { limit: u32 },
    SharedResourceNotFound { arn: String },
    TaggedResourceNotFound { arn: String },
    LeaveNotPermitted { share: ShareArn },
    InvitationNotFound { invitation: InvitationArn },
    InvitationAlreadyAccepted { invitation: InvitationArn },
    InvitationAlreadyRejected { invitation: InvitationArn },
    InvitationExpired { invitation: InvitationArn },

    // Of permissions.
    Permission(PermissionRefusal),

    // Of a resource's own policy, and of what RAM made of it.
    Policy(PolicyRefusal),
    ShareFromPolicy { share: ShareArn },
    ShareNotFromPolicy { share: ShareArn },
    SharePromoting { share: ShareArn },

    // Of calls to Organizations.
    Organization(OrganizationRefusal),
    // Of a call of IAM or STS.
    Iam(IamRefusal),
}

impl From<PolicyRefusal> for Refusal {
    fn from(refusal: PolicyRefusal) -> Self {
        Self::Policy(refusal)
    }
}

impl From<PermissionRefusal> for Refusal {
    fn from(refusal: PermissionRefusal) -> Self {
        Self::Permission(refusal)
    }
}

impl From<OrganizationRefusal> for Refusal {
    fn from(refusal: OrganizationRefusal) -> Self {
        Self::Organization(refusal)
    }
}

impl From<IamRefusal> for Refusal {
    fn from(refusal: IamRefusal) -> Self {
        Self::Iam(refusal)
    }
}
