//! Deciding requests by compiled policies.
//!
//! The rules are IAM's: an explicit denial wins wherever it stands, a statement applies when its principal, action,
//! resource and all of its conditions match, and what nobody allows is denied.
//!
//! **What cannot be decided never grants and never lifts a denial.** A policy variable that the request has no single
//! value for, or a request's value that an operator cannot read (a number that is none), leaves a comparison open. IAM
//! documents that such a statement "might be invalid" and not apply. Here an Allow with an open comparison does not
//! apply at all, and a Deny applies if some value could make it: a missing variable in `Resource` or under a positive
//! operator matches anything, and in `NotResource` or under a negated operator it excepts nothing.
//!
//! A key with several values under an operator without a set prefix, which IAM leaves open: a positive operator holds
//! if any of the values matches, a negated one if none does.

mod compile;
mod condition;
mod context;
mod principal;
mod resource;
mod value;

pub use compile::CompileError;
pub use context::Context;
pub use principal::Principal;
pub(crate) use principal::{AwsPrincipal, Named};
pub(crate) use resource::ResourcePattern;
pub use value::ValueFault;
pub(crate) use value::{Operand, check_value};

use compile::Compiled;

use crate::document::{Document, Effect, Selection};
use crate::pattern::{Missing, Pattern, Truth};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who.
    pub principal: Principal<'a>,
    /// What, such as `ec2:RunInstances`; letters are alike in both cases.
    pub action: &'a str,
    /// To which resource: an ARN, or `*` for an action that has none.
    pub resource: &'a str,
    /// Under which conditions.
    pub context: &'a Context,
}

/// What the policies say to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// A statement allows it and none denies it.
    Allow(Because<'p>),
    /// A statement denies it.
    ExplicitDeny(Because<'p>),
    /// No statement applies.
    ImplicitDeny,
}

/// The statement that decided: the first that applies, in the order of documents and statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Because<'p> {
    /// Which of the documents.
    pub document: usize,
    /// Which of its statements.
    pub statement: usize,
    /// The statement's id.
    pub sid: Option<&'p str>,
}

impl Decision<'_> {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Documents, compiled to decide requests. Deciding allocates nothing and changes nothing.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    denies: Vec<Compiled>,
    allows: Vec<Compiled>,
}

impl PolicySet {
    /// Compiles documents. What [`Document::parse`] has read compiles; a document put together by hand may not.
    pub fn compile<'d>(documents: impl IntoIterator<Item = &'d Document>) -> Result<Self, CompileError> {
        let mut set = Self::default();
        for (index, document) in documents.into_iter().enumerate() {
            for compiled in compile::compile(index, document)? {
                match compiled.effect {
                    Effect::Allow => set.allows.push(compiled),
                    Effect::Deny => set.denies.push(compiled),
                }
            }
        }
        Ok(set)
    }

    /// Decides a request.
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        let first =
            |statements: &'_ [Compiled]| statements.iter().position(|statement| statement.applies(request));
        if let Some(at) = first(&self.denies) {
            return Decision::ExplicitDeny(self.denies[at].because());
        }
        first(&self.allows).map_or(Decision::ImplicitDeny, |at| Decision::Allow(self.allows[at].because()))
    }
}

impl Compiled {
    fn because(&self) -> Because<'_> {
        Because { document: self.document, statement: self.index, sid: self.sid.as_deref() }
    }

    fn applies(&self, request: &Request<'_>) -> bool {
        self.action_applies(request.action)
            && self.resource_applies(request)
            && self.principal_applies(&request.principal)
            && self.tests.iter().all(|test| test.holds(self.effect, request.context))
    }

    fn action_applies(&self, action: &str) -> bool {
        let matches =
            |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_ignoring_case(action));
        match &self.actions {
            Selection::Only(patterns) => matches(patterns),
            Selection::Except(patterns) => !matches(patterns),
        }
    }

    fn resource_applies(&self, request: &Request<'_>) -> bool {
        let (resource, context) = (request.resource, request.context);
        let widely =
            |missing| move |pattern: &ResourcePattern| pattern.matches_widely(resource, context, missing);
        let narrowly = |pattern: &ResourcePattern| pattern.matches_narrowly(resource, context);
        match (&self.resources, self.effect) {
            (None, _) => true,
            (Some(Selection::Only(patterns)), Effect::Allow) => any(patterns, narrowly) == Truth::True,
            (Some(Selection::Except(patterns)), Effect::Allow) => {
                any(patterns, widely(Missing::Unknown)) == Truth::False
            }
            (Some(Selection::Only(patterns)), Effect::Deny) => {
                any(patterns, widely(Missing::Anything)) == Truth::True
            }
            (Some(Selection::Except(patterns)), Effect::Deny) => {
                !patterns.iter().any(|pattern| narrowly(pattern) == Truth::True)
            }
        }
    }

    fn principal_applies(&self, principal: &Principal<'_>) -> bool {
        match (&self.principals, self.effect) {
            (None, _) => true,
            (Some(Selection::Only(names)), _) => names.iter().any(|name| name.covers(principal)),
            (Some(Selection::Except(names)), Effect::Allow) => {
                !names.iter().any(|name| name.covers(principal))
            }
            (Some(Selection::Except(names)), Effect::Deny) => !principal.is_named_in_full(names),
        }
    }
}

/// Whether any pattern matches; unknown if any of them is, so that their order does not matter.
fn any(patterns: &[ResourcePattern], matches: impl Fn(&ResourcePattern) -> Truth) -> Truth {
    let mut found = Truth::False;
    for pattern in patterns {
        match matches(pattern) {
            Truth::Unknown => return Truth::Unknown,
            Truth::True => found = Truth::True,
            Truth::False => {}
        }
    }
    found
}
