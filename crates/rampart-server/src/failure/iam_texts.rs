//! The status, the code and the text of each refusal of IAM and STS.

use rampart_core::iam::{IamRefusal, IdentityKind};

const INVALID: &str = "ValidationError";
const NOT_FOUND: &str = "NoSuchEntity";
const CONFLICT: &str = "DeleteConflict";
const LIMIT: &str = "LimitExceeded";

/// A kind at the beginning of a sentence.
fn capital(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "User",
        IdentityKind::Role => "Role",
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one table of all refusals; the compiler sees that none is left out"
)]
pub(super) fn of(refusal: &IamRefusal) -> (u16, &'static str, String) {
    let invalid = |text: String| (400, INVALID, text);
    let denied = |text: String| (403, "AccessDenied", text);
    let not_found = |text: String| (404, NOT_FOUND, text);
    let conflict = |text: &str| (409, CONFLICT, format!("Cannot delete entity, must {text} first."));
    let limit = |text: String| (409, LIMIT, text);
    match refusal {
        // What the caller wrote.
        IamRefusal::ParameterMissing { parameter } => invalid(format!(
            "1 validation error detected: Value null at '{parameter}' failed to satisfy constraint: Member must not \
             be null"
        )),
        IamRefusal::ParameterOutOfRange { parameter, least, most } => invalid(format!(
            "1 validation error detected: The value at '{parameter}' failed to satisfy constraint: Member must be \
             between {least} and {most}"
        )),
        IamRefusal::ParameterInvalid { parameter, expected } => invalid(format!(
            "1 validation error detected: The value at '{parameter}' failed to satisfy constraint: Member must be \
             {expected}"
        )),
        IamRefusal::NameLength { parameter, chars_max } => invalid(format!(
            "1 validation error detected: The value at '{parameter}' failed to satisfy constraint: Member must have \
             length between 1 and {chars_max}"
        )),
        IamRefusal::NameCharacter { parameter } => invalid(format!(
            "The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-"
        )),
        IamRefusal::PathInvalid => invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters."
                .to_owned(),
        ),
        IamRefusal::PathPrefixInvalid => {
            invalid("The specified value for pathPrefix is invalid. It must begin with /.".to_owned())
        }
        IamRefusal::MarkerInvalid => invalid("Invalid Marker.".to_owned()),
        IamRefusal::UserNameNeeded => {
            invalid("Must specify userName when calling with non-User credentials".to_owned())
        }
        IamRefusal::DocumentMalformed { fault } => {
            (400, "MalformedPolicyDocument", format!("Syntax errors in policy: {fault}."))
        }
        IamRefusal::TooManyTags { limit } => {
            (409, LIMIT, format!("The number of tags has reached the maximum limit of {limit}."))
        }
        IamRefusal::TagInvalid { key } => {
            (400, "InvalidInput", format!("The tag '{key}' has a key or a value that is not allowed."))
        }
        IamRefusal::TagKeyRepeated { .. } => (
            400,
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),),
        IamRefusal::BoundariesUnsupported => (
            400,
            "InvalidInput",
            "rampart has no permissions boundaries. Leave PermissionsBoundary out.".to_owned(),),
        IamRefusal::PolicyArnMalformed { arn } => (400, "InvalidInput", format!("ARN {arn} is not valid.")),
        IamRefusal::ServiceHasNoRole { service } => {
            (400, "InvalidInput", format!("{service} has no service-linked role here: ram.amazonaws.com has one."))
        }

        // What stands against a session.
        IamRefusal::RoleNotAssumable { caller, role } => {
            denied(format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"))
        }
        IamRefusal::RolesNotForRoot => denied("Roles may not be assumed by root accounts.".to_owned()),
        IamRefusal::SessionOfSession => {
            denied("Cannot call GetSessionToken with session credentials".to_owned())
        }
        IamRefusal::ChainedSessionTooLong => invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining".to_owned()),
        IamRefusal::SessionTooLong => {
            invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".to_owned())
        }
        IamRefusal::SessionTagsUnsupported => {
            invalid("rampart's sessions have no tags, no source identity and no contexts. Leave them out.".to_owned())
        }
        IamRefusal::MultiFactorUnsupported => {
            invalid("rampart knows no MFA devices. Leave SerialNumber and TokenCode out.".to_owned())
        }
        IamRefusal::SessionPolicyTooLarge { limit } => (
            400,
            "PackedPolicyTooLarge",
            format!("The session policies have more than {limit} characters, or are more than 10."),),

        // What stands against the call.
        IamRefusal::IdentityExists { kind, name } => {
            (409, "EntityAlreadyExists", format!("{} with name {name} already exists.", capital(*kind)))
        }
        IamRefusal::IdentityNotFound { kind, name } => {
            not_found(format!("The {} with name {name} cannot be found.", kind.as_str()))
        }
        IamRefusal::PolicyNotFound { kind, policy } => {
            not_found(format!("The {} policy with name {policy} cannot be found.", kind.as_str()))
        }
        IamRefusal::ManagedPolicyNotFound { arn } => {
            not_found(format!("Policy {arn} does not exist or is not attachable."))
        }
        IamRefusal::ManagedPolicyVersionNotFound { arn, version } => {
            not_found(format!("Policy {arn} version {version} does not exist or is not attachable."))
        }
        IamRefusal::ManagedPolicyNotAttachable { arn } => {
            (400, "PolicyNotAttachable", format!("Cannot attach {arn}: it is the policy of a service-linked role."))
        }
        IamRefusal::ManagedPolicyNotAttached { arn } => not_found(format!("Policy {arn} was not found.")),
        IamRefusal::AccessKeyNotFound { id } => {
            not_found(format!("The Access Key with id {id} cannot be found."))
        }
        IamRefusal::StillHasKeys => conflict("delete access keys"),
        IamRefusal::StillHasInlinePolicies => conflict("delete policies"),
        IamRefusal::StillHasManagedPolicies => conflict("detach all policies"),
        IamRefusal::ServiceLinked { role } => (
            400,
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{role}' - this role is only modifiable by AWS"
            ),
        ),
        IamRefusal::NotServiceLinked { role } => {
            not_found(format!("The service-linked role with name {role} cannot be found."))
        }
        IamRefusal::ServiceLinkedRoleExists { role } => (
            400,
            "InvalidInput",
            format!(
                "Service role name {role} has been taken in this account, please try a different suffix."
            ),
        ),
        IamRefusal::DeletionTaskNotFound { task } => {
            not_found(format!("The deletion task with id {task} cannot be found."))
        }
        IamRefusal::IdentitiesExceeded { kind, limit: most } => {
            limit(format!("Cannot exceed quota for {}sPerAccount: {most}", capital(*kind)))
        }
        IamRefusal::AccessKeysExceeded { limit: most } => {
            limit(format!("Cannot exceed quota for AccessKeysPerUser: {most}"))
        }
        IamRefusal::ManagedPoliciesExceeded { kind, limit: most } => {
            limit(format!("Cannot exceed quota for PoliciesPer{}: {most}", capital(*kind)))
        }
        IamRefusal::InlinePoliciesTooLarge { kind, name, limit: most } => {
            limit(format!("Maximum policy size of {most} bytes exceeded for {} {name}", kind.as_str()))
        }
        IamRefusal::TrustPolicyTooLarge { limit: most } => {
            limit(format!("Cannot exceed quota for ACLSizePerRole: {most}"))
        }
        IamRefusal::NoMasterKey => (
            400,
            "InvalidInput",
            "This server has no master key to keep secrets under. Put 32 random bytes in base64 into \
             RAMPART_MASTER_KEY."
                .to_owned(),
        ),
    }
}
