//! IAM policy documents as types.
//!
//! [`Document::parse`] reads JSON and says where it is wrong; [`Document::to_json`] prints the one spelling that a
//! document has here: no spaces, elements in a fixed order, a list of one as a string, operators and keys sorted.
//! Printing and reading again gives the same document.

mod check;
mod error;
mod print;
mod read;

use std::collections::BTreeMap;

pub use check::{ActionFault, PrincipalFault, ResourceFault};
pub(crate) use check::{check_action, check_condition_key};
pub use error::{Fault, ParseError};
pub(crate) use print::{Lists, write_text};
pub(crate) use read::{Reader, ValueCheck, find};

use crate::operator::Operator;

/// The longest text that is read as a document, in bytes.
pub const DOCUMENT_LEN_MAX: usize = 1 << 20;
/// The most statements in a document.
pub const STATEMENTS_MAX: usize = 5_000;
/// The most entries in one list: actions, resources, principals of a kind, values of a condition key.
pub const LIST_LEN_MAX: usize = 10_000;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The version of the language; without it the language is that of 2008.
    pub version: Option<Version>,
    /// The document's own id.
    pub id: Option<String>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// `2008-10-17`: without policy variables.
    #[default]
    V2008,
    /// `2012-10-17`
    V2012,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Denies, whatever else grants.
    Deny,
}

/// An element and its negation, such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selection<T> {
    /// What is listed.
    Only(T),
    /// Everything but what is listed.
    Except(T),
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement's id, unique in its document.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; absent in a policy that is attached to an identity.
    pub principals: Option<Selection<Principals>>,
    /// `Action` or `NotAction`.
    pub actions: Selection<Vec<String>>,
    /// `Resource` or `NotResource`; absent where the policy can only speak of what it is attached to.
    pub resources: Option<Selection<Vec<String>>>,
    /// All of these must hold.
    pub condition: Condition,
}

/// The value of `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `"*"`
    Anyone,
    /// An object of lists.
    Named(BTreeMap<PrincipalKind, Vec<String>>),
}

/// The kinds of principals that a policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// Accounts, users, roles and sessions.
    Aws,
    /// A canonical user id of S3.
    CanonicalUser,
    /// An identity provider.
    Federated,
    /// A service, such as `ec2.amazonaws.com`.
    Service,
}

/// `Condition`: for each operator, its keys, and the values of each.
pub type Condition = BTreeMap<Operator, BTreeMap<String, Vec<String>>>;

/// Which elements a document must and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Whatever some kind of policy has: `Principal` and `Resource` are both optional.
    #[default]
    Any,
    /// Attached to a user, a group, a role or an organization: no `Principal`, but `Resource` or `NotResource`.
    Identity,
    /// Attached to a resource: `Principal` or `NotPrincipal`; `Resource` is optional.
    Resource,
}

impl Document {
    /// Reads a document of any form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_as(text, Form::Any)
    }

    /// Reads a document of the given form.
    pub fn parse_as(text: &str, form: Form) -> Result<Self, ParseError> {
        read::read_document(text, form)
    }

    /// The canonical JSON text.
    pub fn to_json(&self) -> String {
        print::print_document(self)
    }

    /// The version whose rules apply.
    pub fn effective_version(&self) -> Version {
        self.version.unwrap_or_default()
    }
}

impl Statement {
    /// The canonical JSON text of this statement alone.
    pub fn to_json(&self) -> String {
        self.to_json_with(&Lists::new())
    }

    pub(crate) fn to_json_with(&self, lists: &Lists) -> String {
        print::print_statement(self, lists)
    }
}

impl Version {
    /// The text in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

impl Effect {
    /// The text in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl PrincipalKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aws, Self::CanonicalUser, Self::Federated, Self::Service];

    /// The key in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::CanonicalUser => "CanonicalUser",
            Self::Federated => "Federated",
            Self::Service => "Service",
        }
    }
}

impl Principals {
    /// Whether nobody is named.
    pub fn is_nobody(&self) -> bool {
        matches!(self, Self::Named(kinds) if kinds.values().all(Vec::is_empty))
    }
}

impl<T> Selection<T> {
    /// What is listed, whether it is meant or excepted.
    pub fn listed(&self) -> &T {
        match self {
            Self::Only(listed) | Self::Except(listed) => listed,
        }
    }
}
