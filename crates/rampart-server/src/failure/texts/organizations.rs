//! The code, the reason and the text of each refusal of Organizations. Texts are AWS's where they are known.

use rampart_core::OrganizationRefusal as Refusal;
use rampart_core::organization::refusal::{Constraint, Fault, HandshakeConstraint};

type Text = (&'static str, Option<&'static str>, String);

#[expect(
    clippy::too_many_lines,
    reason = "one table of all refusals; the compiler sees that none is left out"
)]
pub(in crate::failure) fn of(refusal: &Refusal) -> Text {
    let (code, text) = match refusal {
        Refusal::NotInUse => {
            ("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        }
        Refusal::AccessDenied => {
            ("AccessDeniedException", "You don't have permissions to access this resource.")
        }
        Refusal::AlreadyInOrganization => {
            ("AlreadyInOrganizationException", "The provided account is already a member of an organization.")
        }
        Refusal::ManagementCannotLeave => (
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization.",
        ),
        Refusal::AccountNotFound => {
            ("AccountNotFoundException", "You specified an account that doesn't exist.")
        }
        Refusal::ChildNotFound => ("ChildNotFoundException", "You specified a child that doesn't exist."),
        Refusal::CreationNotFound => (
            "CreateAccountStatusNotFoundException",
            "You specified an account creation request that doesn't exist.",
        ),
        Refusal::DestinationParentNotFound => {
            ("DestinationParentNotFoundException", "You specified a destination parent that doesn't exist.")
        }
        Refusal::HandshakeNotFound => {
            ("HandshakeNotFoundException", "You specified a handshake that doesn't exist.")
        }
        Refusal::OrganizationalUnitNotFound => (
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        ),
        Refusal::ParentNotFound => ("ParentNotFoundException", "You specified parent that doesn't exist."),
        Refusal::PolicyNotAttached => (
            "PolicyNotAttachedException",
            "The policy isn't attached to the specified target in the specified root.",
        ),
        Refusal::PolicyNotFound => ("PolicyNotFoundException", "You specified a policy that doesn't exist."),
        Refusal::RootNotFound => ("RootNotFoundException", "You specified a root that doesn't exist."),
        Refusal::SourceParentNotFound => {
            ("SourceParentNotFoundException", "You specified a source parent that doesn't exist.")
        }
        Refusal::TargetNotFound => ("TargetNotFoundException", "You specified a target that doesn't exist."),
        Refusal::AccountAlreadyClosed => {
            ("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
        }
        Refusal::ConcurrentModification => (
            "ConcurrentModificationException",
            "The target of the operation is currently being modified by a different request. Try again later.",
        ),
        Refusal::DuplicateAccount => {
            ("DuplicateAccountException", "That account is already present in the specified destination.")
        }
        Refusal::DuplicateAttachment => (
            "DuplicatePolicyAttachmentException",
            "A policy with the specified name and type already exists.",
        ),
        Refusal::DuplicateHandshake => {
            ("DuplicateHandshakeException", "A handshake with the same action and target already exists.")
        }
        Refusal::DuplicateOrganizationalUnit => {
            ("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")
        }
        Refusal::DuplicatePolicy => {
            ("DuplicatePolicyException", "A policy with the same name already exists.")
        }
        Refusal::HandshakeAlreadyInState => {
            ("HandshakeAlreadyInStateException", "The specified handshake is already in the requested state.")
        }
        Refusal::HandshakeTransition => (
            "InvalidHandshakeTransitionException",
            "You can't perform the operation on the handshake in its current state.",
        ),
        Refusal::OrganizationNotEmpty => (
            "OrganizationNotEmptyException",
            "To delete an organization you must first remove all member accounts (except the master).",
        ),
        Refusal::OrganizationalUnitNotEmpty => (
            "OrganizationalUnitNotEmptyException",
            "The specified OU is not empty. Move all accounts to another root or to other OUs, remove all child OUs, \
             and try the operation again.",
        ),
        Refusal::PolicyInUse => (
            "PolicyInUseException",
            "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts \
             before performing this operation.",
        ),
        Refusal::PolicyTypeAlreadyEnabled => {
            ("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
        }
        Refusal::PolicyTypeNotAvailable => (
            "PolicyTypeNotAvailableForOrganizationException",
            "This operation can be performed only for policy types that are available in the organization.",
        ),
        Refusal::PolicyTypeNotEnabled => (
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        ),
        Refusal::PolicyMalformed { reason } => {
            let text =
                "The provided policy document does not meet the requirements of the specified policy type";
            return ("MalformedPolicyDocumentException", None, format!("{text}: {reason}."));
        }
        Refusal::HandshakeConstraint(constraint) => return of_handshake(*constraint),
        Refusal::Constraint(constraint) => return of_constraint(*constraint),
        Refusal::Invalid { parameter, fault } => return of_fault(parameter, *fault),
    };
    (code, None, text.to_owned())
}

fn of_handshake(constraint: HandshakeConstraint) -> Text {
    let (reason, text) = match constraint {
        HandshakeConstraint::AccountNumber { limit } => (
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
            format!("The organization has reached its limit of {limit} accounts."),
        ),
        HandshakeConstraint::AlreadyInOrganization => (
            "ALREADY_IN_AN_ORGANIZATION",
            "The provided account is already a member of an organization.".to_owned(),
        ),
    };
    ("HandshakeConstraintViolationException", Some(reason), text)
}

fn of_constraint(constraint: Constraint) -> Text {
    let (reason, text) = match constraint {
        Constraint::AccountNumber { limit } => (
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
            format!("You have exceeded the allowed number of AWS accounts: {limit}."),
        ),
        Constraint::OrganizationalUnitNumber { limit } => {
            ("OU_NUMBER_LIMIT_EXCEEDED", format!("You have exceeded the allowed number of OUs: {limit}."))
        }
        Constraint::OrganizationalUnitDepth => (
            "OU_DEPTH_LIMIT_EXCEEDED",
            "You have exceeded the allowed number of levels of OUs in the organization.".to_owned(),
        ),
        Constraint::PolicyNumber { limit } => (
            "POLICY_NUMBER_LIMIT_EXCEEDED",
            format!("You have exceeded the allowed number of policies: {limit}."),
        ),
        Constraint::PolicyContent { limit } => (
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            format!("You have exceeded the allowed size of a policy document: {limit} bytes."),
        ),
        Constraint::AttachmentsMax { limit } => (
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            format!("You have attached the maximum number of policies of this type to the target: {limit}."),
        ),
        Constraint::AttachmentsMin => (
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You cannot remove the last policy attached to the specified target. You must have at least one attached \
             at all times."
                .to_owned(),
        ),
        Constraint::TagsMax { limit } => {
            ("MAX_TAG_LIMIT_EXCEEDED", format!("You have exceeded the allowed number of tags: {limit}."))
        }
        Constraint::CannotCloseManagement => {
            ("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You can't close the management account.".to_owned())
        }
        Constraint::NotAllFeatures => (
            "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
            "This operation requires that the organization has all features enabled.".to_owned(),
        ),
    };
    ("ConstraintViolationException", Some(reason), text)
}

fn of_fault(parameter: &str, fault: Fault) -> Text {
    let (reason, text) = match fault {
        Fault::Required => ("INPUT_REQUIRED", "is required".to_owned()),
        Fault::Pattern => ("INVALID_PATTERN", "does not match the required pattern".to_owned()),
        Fault::TooLong { max } => ("MAX_LENGTH_EXCEEDED", format!("is longer than {max} characters")),
        Fault::TooShort { min } => ("MIN_LENGTH_EXCEEDED", format!("is shorter than {min} characters")),
        Fault::TooLarge { max } => ("MAX_VALUE_EXCEEDED", format!("is larger than {max}")),
        Fault::TooSmall { min } => ("MIN_VALUE_EXCEEDED", format!("is smaller than {min}")),
        Fault::Enum => ("INVALID_ENUM", "is none of the values that it can have".to_owned()),
        Fault::NextToken => {
            ("INVALID_NEXT_TOKEN", "is not the token of the previous answer to the same call".to_owned())
        }
        Fault::PartyType => (
            "INVALID_PARTY_TYPE_TARGET",
            "names no account: rampart invites accounts by their ids".to_owned(),
        ),
        Fault::SystemTag => ("INVALID_SYSTEM_TAGS_PARAMETER", "has a key that begins with aws:".to_owned()),
        Fault::DuplicateTag => ("DUPLICATE_TAG_KEY", "has a key more than once".to_owned()),
        Fault::ImmutablePolicy => {
            ("IMMUTABLE_POLICY", "names a policy of AWS, which cannot be changed".to_owned())
        }
        Fault::FilterBoth => (
            "MAX_LIMIT_EXCEEDED_FILTER",
            "has an action type and a parent handshake, but can have one of both".to_owned(),
        ),
    };
    ("InvalidInputException", Some(reason), format!("You specified an invalid value: {parameter} {text}."))
}
