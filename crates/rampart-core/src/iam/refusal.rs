//! Why a call of IAM or STS is refused. Codes, statuses and texts stand at the edge, as those of the other refusals.

use super::{IamName, IdentityKind};

/// A fact that stands in the way of a call. A refused call changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the fact and its members say what they hold")]
pub enum IamRefusal {
    // What the caller wrote.
    ParameterMissing { parameter: &'static str },
    ParameterOutOfRange { parameter: &'static str, least: i64, most: i64 },
    ParameterInvalid { parameter: &'static str, expected: &'static str },
    NameLength { parameter: &'static str, chars_max: usize },
    NameCharacter { parameter: &'static str },
    PathInvalid,
    PathPrefixInvalid,
    MarkerInvalid,
    DocumentMalformed { fault: String },
    TooManyTags { limit: usize },
    TagInvalid { key: String },
    TagKeyRepeated { key: String },
    BoundariesUnsupported,
    PolicyArnMalformed { arn: String },

    // What stands against it.
    IdentityExists { kind: IdentityKind, name: IamName },
    IdentityNotFound { kind: IdentityKind, name: IamName },
    PolicyNotFound { kind: IdentityKind, policy: IamName },
    ManagedPolicyNotFound { arn: String },
    ManagedPolicyVersionNotFound { arn: String, version: String },
    ManagedPolicyNotAttachable { arn: String },
    ManagedPolicyNotAttached { arn: String },
    AccessKeyNotFound { id: String },
    StillHasKeys,
    StillHasInlinePolicies,
    StillHasManagedPolicies,
    ServiceLinked { role: IamName },
    NotServiceLinked { role: IamName },
    ServiceLinkedRoleExists { role: IamName },
    ServiceHasNoRole { service: String },
    DeletionTaskNotFound { task: String },
    IdentitiesExceeded { kind: IdentityKind, limit: u32 },
    AccessKeysExceeded { limit: u32 },
    ManagedPoliciesExceeded { kind: IdentityKind, limit: u32 },
    InlinePoliciesTooLarge { kind: IdentityKind, name: IamName, limit: u32 },
    TrustPolicyTooLarge { limit: u32 },
    NoMasterKey,
    UserNameNeeded,

    // Sessions.
    RoleNotAssumable { caller: String, role: String },
    RolesNotForRoot,
    ChainedSessionTooLong,
    SessionTooLong,
    SessionOfSession,
    SessionPolicyTooLarge { limit: usize },
    SessionTagsUnsupported,
    MultiFactorUnsupported,
}
