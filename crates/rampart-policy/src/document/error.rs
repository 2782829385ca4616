//! What can be wrong with a document, and where.

use super::{ActionFault, PrincipalFault, ResourceFault};
use crate::evaluate::ValueFault;
use crate::json::JsonFault;
use crate::place::Place;

/// Why a text is not a policy, and the place of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at {place}")]
pub struct ParseError {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is not JSON.
    #[error("{0}")]
    Json(#[from] JsonFault),
    /// The text is too long.
    #[error("a policy has at most {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// Too many of something.
    #[error("there are at most {max} {what} here")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A value of another JSON type.
    #[error("{expected} is expected here, not {found}")]
    WrongType {
        /// What fits.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// An element that the language does not have.
    #[error("there is no element `{name}`{}", did_you_mean(*.near))]
    UnknownElement {
        /// Its name.
        name: String,
        /// The element with the same letters in other case.
        near: Option<&'static str>,
    },
    /// An element that this form of policy does not have.
    #[error("`{0}` is not allowed in this kind of policy")]
    UnexpectedElement(&'static str),
    /// An element that must be there.
    #[error("`{0}` is missing")]
    MissingElement(&'static str),
    /// An element and its negation.
    #[error("`{0}` and `{1}` exclude each other")]
    ExclusiveElements(&'static str, &'static str),
    /// A version that does not exist.
    #[error("the version is 2012-10-17 or 2008-10-17")]
    InvalidVersion,
    /// Neither Allow nor Deny.
    #[error("an effect is `Allow` or `Deny`, written so")]
    InvalidEffect,
    /// A text of no characters.
    #[error("this must not be empty")]
    EmptyText,
    /// A list of nothing where something must be listed.
    #[error("this list must not be empty")]
    EmptyList,
    /// An id that another statement has.
    #[error("another statement has the Sid `{0}`")]
    DuplicateSid(String),
    /// Not an action.
    #[error("{0}")]
    InvalidAction(#[from] ActionFault),
    /// Not a resource.
    #[error("{0}")]
    InvalidResource(#[from] ResourceFault),
    /// Not a principal.
    #[error("{0}")]
    InvalidPrincipal(#[from] PrincipalFault),
    /// A condition operator that does not exist.
    #[error("there is no condition operator `{name}`{}", did_you_mean(.near.as_deref()))]
    UnknownOperator {
        /// Its name.
        name: String,
        /// The operator with the same letters in other case.
        near: Option<String>,
    },
    /// Two keys of one operator that differ in case only.
    #[error("the condition key `{0}` is here twice, in different case")]
    DuplicateConditionKey(String),
    /// Not a condition key.
    #[error("a condition key is a service, a colon and a name, without spaces around it")]
    InvalidConditionKey,
    /// A condition value that its operator cannot compare.
    #[error("{0}")]
    InvalidValue(#[from] ValueFault),
    /// In a template: `@{` that no name and brace follow.
    #[error("a placeholder is `@{{name}}`, where a name is up to 128 letters, digits and `_`, `-` or `.`")]
    InvalidPlaceholder,
    /// In a template: another effect than Allow.
    #[error("a permission can only allow")]
    NotAllow,
    /// In a template: an operator that holds when nothing matches.
    #[error("a permission has no negated operators such as `{0}`")]
    NegatedOperator(String),
    /// In a template: more than one operator.
    #[error("a permission has a single condition operator")]
    SeveralOperators,
    /// In a template: a condition key that is not for permissions.
    #[error("the condition key `{0}` is reserved and cannot be in a permission")]
    ReservedConditionKey(String),
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|near| format!("; `{near}` is written so")).unwrap_or_default()
}
