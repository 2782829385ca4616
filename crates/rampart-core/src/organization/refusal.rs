//! Why a call to Organizations is refused: facts. Their codes and texts stand in one table at the edge.

/// A fact that stands in the way of a call to Organizations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the fact")]
pub enum OrganizationRefusal {
    // Who asks.
    NotInUse,
    AccessDenied,
    AlreadyInOrganization,
    ManagementCannotLeave,

    // What is not there.
    AccountNotFound,
    ChildNotFound,
    CreationNotFound,
    DestinationParentNotFound,
    HandshakeNotFound,
    OrganizationalUnitNotFound,
    ParentNotFound,
    PolicyNotAttached,
    PolicyNotFound,
    RootNotFound,
    SourceParentNotFound,
    TargetNotFound,

    // What is there already, or in the way.
    AccountAlreadyClosed,
    ConcurrentModification,
    DuplicateAccount,
    DuplicateAttachment,
    DuplicateHandshake,
    DuplicateOrganizationalUnit,
    DuplicatePolicy,
    HandshakeAlreadyInState,
    HandshakeTransition,
    OrganizationNotEmpty,
    OrganizationalUnitNotEmpty,
    PolicyInUse,
    PolicyTypeAlreadyEnabled,
    PolicyTypeNotAvailable,
    PolicyTypeNotEnabled,

    /// The document is no service control policy, for this reason.
    PolicyMalformed {
        reason: String,
    },
    /// A handshake would break a rule.
    HandshakeConstraint(HandshakeConstraint),
    /// A limit, or a rule of AWS's.
    Constraint(Constraint),
    /// A parameter does not fit.
    Invalid {
        parameter: &'static str,
        fault: Fault,
    },
}

/// `ConstraintViolationException`: which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the reason of AWS's that it becomes")]
pub enum Constraint {
    AccountNumber { limit: u32 },
    OrganizationalUnitNumber { limit: u32 },
    OrganizationalUnitDepth,
    PolicyNumber { limit: u32 },
    PolicyContent { limit: usize },
    AttachmentsMax { limit: usize },
    AttachmentsMin,
    TagsMax { limit: usize },
    CannotCloseManagement,
    NotAllFeatures,
}

/// `HandshakeConstraintViolationException`: which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the reason of AWS's that it becomes")]
pub enum HandshakeConstraint {
    AccountNumber { limit: u32 },
    AlreadyInOrganization,
}

/// `InvalidInputException`: what is wrong with the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the reason of AWS's that it becomes")]
pub enum Fault {
    Required,
    Pattern,
    TooLong { max: usize },
    TooShort { min: usize },
    TooLarge { max: i64 },
    TooSmall { min: i64 },
    Enum,
    NextToken,
    PartyType,
    SystemTag,
    DuplicateTag,
    ImmutablePolicy,
    FilterBoth,
}
