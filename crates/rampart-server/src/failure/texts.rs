//! The code and the text of each refusal. The first code that the operation models is used.

use rampart_core::Refusal;
use rampart_core::limits::{
    CLIENT_TOKEN_CHARS_MAX, PAGE_SIZE_MAX, PRINCIPALS_PER_CALL_MAX, RESOURCES_PER_CALL_MAX,
    SHARE_NAME_CHARS_MAX, TAG_KEY_CHARS_MAX, TAG_VALUE_CHARS_MAX, TAGS_PER_SHARE_MAX,
};

pub(super) mod organizations;
mod permission;
mod policy;

type Codes = &'static [&'static str];

const INVALID_PARAMETER: Codes = &["InvalidParameterException"];
const MALFORMED_ARN: Codes = &["MalformedArnException"];
const UNKNOWN_RESOURCE: Codes = &["UnknownResourceException"];
const NOT_PERMITTED: Codes = &["OperationNotPermittedException"];
const LIMIT: Codes = &["ResourceShareLimitExceededException"];
const MISSING: Codes =
    &["MissingRequiredParameterException", "InvalidParameterException", "MalformedArnException"];

const ONLY_INSIDE: &str = "The resource you are attempting to share can only be shared within your \
     AWS Organization. \
    This error may also occur if you have not enabled sharing with your AWS organization, or that onboarding process \
    is still in progress.";

#[expect(
    clippy::too_many_lines,
    reason = "one table of all refusals; the compiler sees that none is left out"
)]
pub(super) fn of(refusal: &Refusal) -> (Codes, String) {
    match refusal {
        Refusal::Permission(refusal) => permission::of(refusal),
        Refusal::Iam(refusal) => (INVALID_PARAMETER, super::iam_texts::of(refusal).2),
        // What the caller named.
        Refusal::ShareArnMalformed => (
            MALFORMED_ARN,
            "The specified resource share ARN is not valid. Verify the ARN and try again.".to_owned(),
        ),
        Refusal::InvitationArnMalformed { arn } => (
            MALFORMED_ARN,
            format!(
                "The specified resource share invitation ARN {arn} is not valid. Verify the ARN and \
             try again."
            ),
        ),
        Refusal::ResourceArnMalformed { arn } => (
            MALFORMED_ARN,
            format!(
                "The specified resource ARN {arn} is not valid. Verify the ARN and \
             try again."
            ),
        ),
        Refusal::ResourceTypeNotShareable { .. } => {
            (MALFORMED_ARN, "You cannot share the selected resource type.".to_owned())
        }
        Refusal::ResourceNotOwned { arn, caller } => (
            INVALID_PARAMETER,
            format!(
                "The resource {arn} does not belong to account {caller}. You can share only \
             resources that you own."
            ),
        ),
        Refusal::ResourceInOtherRegion { arn, region } => (
            INVALID_PARAMETER,
            format!(
                "The resource {arn} is not in {region}. A resource share holds resources of its own \
             Region."
            ),
        ),
        Refusal::GlobalResourceOutsideHomeRegion { arn, home } => {
            (INVALID_PARAMETER, format!("The resource {arn} is global. Share global resources from {home}."))
        }
        Refusal::PrincipalMalformed { principal } => (
            INVALID_PARAMETER,
            format!("Principal ID {principal} is malformed. Verify the ID and try again."),
        ),
        Refusal::OrganizationNotFound { id } => (
            UNKNOWN_RESOURCE,
            format!(
                "Organization {id} could not \
         be found."
            ),
        ),
        Refusal::OrganizationalUnitNotFound { id } => {
            (UNKNOWN_RESOURCE, format!("OrganizationalUnit {id} could not be found."))
        }
        Refusal::OrganizationalUnitOfUnknownOrganization { id } => (
            UNKNOWN_RESOURCE,
            format!("OrganizationalUnit {id} in unknown organization could not be found."),
        ),
        Refusal::ShareNotFound { share } => (
            UNKNOWN_RESOURCE,
            format!(
                "ResourceShare {share} could not \
         be found."
            ),
        ),
        Refusal::Policy(refusal) => policy::of(refusal),
        Refusal::ShareFromPolicy { share } => (
            // AWS: the tagging operations do not model OperationNotPermitted.
            &["OperationNotPermittedException", "InvalidParameterException"],
            format!("ResourceShare {share} was created from a resource-based policy. Promote it to change it."),
        ),
        Refusal::ShareNotFromPolicy { share } => (
            INVALID_PARAMETER,
            format!("ResourceShare {share} was not created from a resource-based policy."),
        ),
        Refusal::SharePromoting { share } => (
            &["InvalidStateTransitionException"],
            format!("ResourceShare {share} is being promoted."),
        ),
        Refusal::ShareDeleted { share } => (
            &["InvalidStateTransitionException", "UnknownResourceException"],
            format!("ResourceShare {share} has been deleted."),
        ),
        Refusal::EntityNotAssociated { entity, share } => {
            (UNKNOWN_RESOURCE, format!("{entity} is not associated with ResourceShare {share}."))
        }
        Refusal::PrincipalOutsideOrganization { principal } => (
            INVALID_PARAMETER,
            format!(
                "Principal {principal} is not in your AWS organization. You do not have permission to add external \
                 AWS accounts to a resource share."
            ),
        ),
        Refusal::OutsidersPresent => (
            NOT_PERMITTED,
            "The resource share has principals outside your AWS organization. Remove them first.".to_owned(),
        ),
        Refusal::RetainedSharingWithOrganization => (
            INVALID_PARAMETER,
            "A resource share with retainSharingOnAccountLeaveOrganization is shared with accounts, roles and users, \
             not with an organization or an organizational unit."
                .to_owned(),
        ),
        Refusal::ResourceTypeNotOutsideOrganization => {
            (INVALID_PARAMETER, "You cannot share the resource outside your organization.".to_owned())
        }
        Refusal::OrganizationSharingDenied => (
            NOT_PERMITTED,
            "Unable to enable sharing with AWS Organizations. Received AccessDeniedException from AWSOrganizations \
             with the following error message: You don't have permissions to access this resource."
                .to_owned(),
        ),
        Refusal::SharingOnlyInsideOrganization => (NOT_PERMITTED, ONLY_INSIDE.to_owned()),
        // AWS: the same text with another code when the cause is the resource's type (reference §4.2).
        Refusal::ResourceTypeOnlyInsideOrganization { .. } => (INVALID_PARAMETER, ONLY_INSIDE.to_owned()),
        Refusal::ResourceTypeNotForIdentities => (
            INVALID_PARAMETER,
            "A resource of the share is of a type that cannot be shared with IAM roles and users.".to_owned(),
        ),
        Refusal::ResourceTypeNotForServices => (
            INVALID_PARAMETER,
            "A resource of the share is of a type that cannot be shared with service \
                 principals."
                .to_owned(),
        ),
        Refusal::ServicesMixedWithOthers => (
            INVALID_PARAMETER,
            "A resource share with service principals cannot have principals of other kinds.".to_owned(),
        ),
        Refusal::SourcesWithoutServices => (
            INVALID_PARAMETER,
            "Sources restrict service principals: the resource share has none.".to_owned(),
        ),
        Refusal::LastSourceOfServices => (
            INVALID_PARAMETER,
            "A resource share with service principals keeps at least one source.".to_owned(),
        ),
        Refusal::QuotaExceeded { quota, limit } => {
            (LIMIT, format!("You have reached the limit of {limit} {quota}."))
        }
        Refusal::TooManyPendingInvitations { limit } => (
            LIMIT,
            format!(
                "You have reached the limit of {limit} pending invitations. Wait until some are \
                 answered."
            ),
        ),
        Refusal::SharedResourceNotFound { arn } => (
            &["ResourceArnNotFoundException"],
            format!("Resource {arn} could not be found in your resource shares."),
        ),
        Refusal::TaggedResourceNotFound { arn } => (
            &["ResourceArnNotFoundException", "UnknownResourceException"],
            format!("{arn} could not be found."),
        ),
        Refusal::LeaveNotPermitted { share } => (
            NOT_PERMITTED,
            format!("You cannot leave ResourceShare {share}: ask its owner to remove your account."),
        ),
        // Values that do not fit.
        Refusal::PermissionArnMalformed { arn } => (
            MALFORMED_ARN,
            format!("The specified permission ARN {arn} is not valid. Verify the ARN and try again."),
        ),
        Refusal::PermissionTypeRepeated { resource_type } => (
            INVALID_PARAMETER,
            format!("A resource share has one permission for a type: {resource_type} has more."),
        ),
        Refusal::PermissionVersionNotDefault { permission } => (
            INVALID_PARAMETER,
            format!("Only the default version of permission {permission} can be attached."),
        ),
        Refusal::PermissionVersionNotFound { permission, version } => {
            (INVALID_PARAMETER, format!("Permission {permission} has no version {version}."))
        }
        Refusal::PermissionKindInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid scope. Must be one of: ALL, AWS, LOCAL."))
        }
        Refusal::PermissionStatusInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid permission status."))
        }
        Refusal::FeatureSetInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid permission feature set."))
        }
        Refusal::PermissionNotFound { arn } => {
            (UNKNOWN_RESOURCE, format!("Permission {arn} could not be found."))
        }
        Refusal::PermissionNotAttached { permission } => {
            (UNKNOWN_RESOURCE, format!("Permission {permission} is not associated with the resource share."))
        }
        Refusal::PermissionOfTypeAttached { resource_type } => (
            INVALID_PARAMETER,
            format!(
                "The resource share has a permission for {resource_type}. Specify replace to replace it."
            ),
        ),
        Refusal::PermissionInUse { permission } => (
            NOT_PERMITTED,
            format!("The resource share holds resources of the type of permission {permission}."),
        ),
        Refusal::ShareNameLength { chars } => (
            INVALID_PARAMETER,
            format!("A resource share's name has 1 to {SHARE_NAME_CHARS_MAX} characters, not {chars}."),
        ),
        Refusal::ShareNameCharacter => {
            (INVALID_PARAMETER, "A resource share's name holds no control characters.".to_owned())
        }
        Refusal::TooManyTags { tags } => (
            &["TagLimitExceededException", "InvalidParameterException"],
            format!("A resource share or a permission has at most {TAGS_PER_SHARE_MAX} tags, not {tags}."),
        ),
        Refusal::TagKeyReserved { key } => (
            &["TagPolicyViolationException", "InvalidParameterException"],
            format!("The tag key {key} is reserved: keys do not begin with aws:."),
        ),
        Refusal::TagKeyLength { chars } => {
            (INVALID_PARAMETER, format!("A tag key has 1 to {TAG_KEY_CHARS_MAX} characters, not {chars}."))
        }
        Refusal::TagValueLength { key, chars } => (
            INVALID_PARAMETER,
            format!("A tag value has at most {TAG_VALUE_CHARS_MAX} characters, not {chars} (tag key {key})."),
        ),
        Refusal::TagCharacter { key } => {
            (INVALID_PARAMETER, format!("The tag with key {key:?} holds a control character."))
        }
        Refusal::TagKeyRepeated { key } => (
            INVALID_PARAMETER,
            format!(
                "The tag key {key} is given more \
         than once."
            ),
        ),
        Refusal::TooManyResources { resources } => (
            LIMIT,
            format!("You can name up to {RESOURCES_PER_CALL_MAX} resources per call, not {resources}."),
        ),
        Refusal::TooManyPrincipals { principals } => (
            LIMIT,
            format!("You can name up to {PRINCIPALS_PER_CALL_MAX} principals per call, not {principals}."),
        ),
        Refusal::TooManyFilterValues { parameter, values, limit } => {
            (INVALID_PARAMETER, format!("{parameter} takes up to {limit} values, not {values}."))
        }
        Refusal::ParameterMissing { parameter } => (
            MISSING,
            format!(
                "The required parameter \
         {parameter} is missing."
            ),
        ),
        Refusal::EntitiesMissing => {
            (MISSING, "Name at least one of resourceArns, principals and sources.".to_owned())
        }
        Refusal::PageSizeOutOfRange { page_size } => (
            &["InvalidMaxResultsException", "InvalidParameterException"],
            format!("maxResults is between 1 and {PAGE_SIZE_MAX}, not {page_size}."),
        ),
        Refusal::NextTokenInvalid => (
            &["InvalidNextTokenException"],
            "The specified value for nextToken is not valid. Use the value of the previous answer, \
             unchanged, with the \
         same parameters."
                .to_owned(),
        ),
        Refusal::ClientTokenInvalid => (
            &["InvalidClientTokenException", "InvalidParameterException"],
            format!(
                "A client token has 1 to {CLIENT_TOKEN_CHARS_MAX} printable ASCII characters \
             without spaces."
            ),
        ),
        Refusal::ClientTokenReused => (
            &["IdempotentParameterMismatchException", "InvalidClientTokenException", "InvalidParameterException"],
            "The client token was used before with other parameters.".to_owned(),
        ),
        Refusal::ResourceOwnerInvalid { value } => (
            INVALID_PARAMETER,
            format!(
                "{value} is not a valid resource owner. Specify either SELF or OTHER-ACCOUNTS and \
             try again."
            ),
        ),
        Refusal::AssociationTypeInvalid { value } => (
            INVALID_PARAMETER,
            format!(
                "{value} is not a valid association type. Specify either PRINCIPAL or RESOURCE and \
             try again."
            ),
        ),
        Refusal::AssociationStatusInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid association status."))
        }
        Refusal::ShareStatusInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid resource share status."))
        }
        Refusal::RegionScopeInvalid { value } => (
            INVALID_PARAMETER,
            format!(
                "{value} is not a valid resource region scope value. Specify a valid value and try again."
            ),
        ),
        Refusal::SourceTypeInvalid { value } => {
            (INVALID_PARAMETER, format!("{value} is not a valid source type."))
        }
        Refusal::ResourceArnWithPrincipalType => (
            INVALID_PARAMETER,
            "You cannot specify a resource ARN when the association type is PRINCIPAL.".to_owned(),
        ),
        Refusal::PrincipalWithResourceType => (
            INVALID_PARAMETER,
            "You cannot specify a principal when the association type is RESOURCE.".to_owned(),
        ),
        Refusal::TagFilterKeyMissing => (INVALID_PARAMETER, "A tag filter names a tagKey.".to_owned()),
        // Invitations.
        Refusal::SourceMalformed { source } => (
            INVALID_PARAMETER,
            format!(
                "Source {source} is malformed: it is an account id, an ARN, or an \
                 organization's id or path."
            ),
        ),
        Refusal::ResourceTypeInvalid { value } => (
            &["InvalidResourceTypeException", "InvalidParameterException"],
            format!("Invalid resource type: {value}"),
        ),
        Refusal::TagTargetMissing => {
            (INVALID_PARAMETER, "Name exactly one of resourceShareArn and resourceArn.".to_owned())
        }
        Refusal::NothingToUpdate => {
            (MISSING, "Name at least one of name and allowExternalPrincipals.".to_owned())
        }
        Refusal::RetainedSharingConfined => (
            INVALID_PARAMETER,
            "retainSharingOnAccountLeaveOrganization treats accounts of the organization as external: it needs \
             allowExternalPrincipals."
                .to_owned(),
        ),
        Refusal::InvitationNotFound { invitation } => (
            &["ResourceShareInvitationArnNotFoundException"],
            format!("ResourceShareInvitation {invitation} could not be found."),
        ),
        Refusal::InvitationAlreadyAccepted { invitation } => (
            &["ResourceShareInvitationAlreadyAcceptedException"],
            format!("ResourceShareInvitation {invitation} has already been accepted."),
        ),
        Refusal::InvitationAlreadyRejected { invitation } => (
            &["ResourceShareInvitationAlreadyRejectedException"],
            format!("ResourceShareInvitation {invitation} has already been rejected."),
        ),
        Refusal::InvitationExpired { invitation } => (
            &["ResourceShareInvitationExpiredException"],
            format!("ResourceShareInvitation {invitation} has expired. Ask its sender to share again."),
        ),
        // Refused by another service, whose texts stand with it.
        Refusal::Organization(refusal) => {
            let (_, _, message) = organizations::of(refusal);
            (NOT_PERMITTED, message)
        }
    }
}
