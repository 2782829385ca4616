//! Which texts are actions, resources, principals and condition keys.

use super::{Fault, PrincipalKind, Version};
use crate::evaluate::{AwsPrincipal, ResourcePattern};
use crate::pattern::PatternFault;

/// Why a text is not an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionFault {
    /// No colon.
    #[error("an action is `*`, or a service, a colon and a name such as `ec2:RunInstances`")]
    MissingService,
    /// The service has a wildcard or another character that services do not have.
    #[error("the service of an action is letters, digits and hyphens, without wildcards")]
    InvalidService,
    /// The name is empty or has a character that names do not have.
    #[error("the name of an action is letters, digits, and the wildcards `*` and `?`")]
    InvalidName,
}

/// Why a text is not a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResourceFault {
    /// Neither `*` nor an ARN.
    #[error("a resource is an ARN, which has six fields separated by colons, or `*`")]
    NotAnArn,
    /// A policy variable that is not well formed.
    #[error("{0}")]
    InvalidPattern(#[from] PatternFault),
}

/// Why a text is not a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalFault {
    /// A wildcard inside.
    #[error("a principal is named in full or `*`: a wildcard cannot stand for a part of it")]
    PartialWildcard,
    /// Not one of the forms of an AWS principal.
    #[error("an AWS principal is `*`, an account of 12 digits, or the ARN of a root, user, role or session")]
    InvalidAwsPrincipal,
    /// Another text than `"*"`.
    #[error("a principal is `\"*\"` or an object such as {{\"AWS\": …}}")]
    BareText,
}

pub(crate) fn check_action(text: &str) -> Result<(), ActionFault> {
    if text == "*" {
        return Ok(());
    }
    let (service, name) = text.split_once(':').ok_or(ActionFault::MissingService)?;
    if service.is_empty() || !service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(ActionFault::InvalidService);
    }
    let is_name_byte =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?' | b'-' | b'_' | b'.' | b'/');
    if name.is_empty() || !name.bytes().all(is_name_byte) {
        return Err(ActionFault::InvalidName);
    }
    Ok(())
}

pub(crate) fn check_resource(text: &str, version: Version) -> Result<(), ResourceFault> {
    let pattern = ResourcePattern::parse(text, version)?;
    if text == "*" {
        return Ok(());
    }
    if text.starts_with("arn:") && (pattern.can_span_fields() || text.split(':').count() >= 6) {
        return Ok(());
    }
    Err(ResourceFault::NotAnArn)
}

pub(crate) fn check_principal(kind: PrincipalKind, text: &str) -> Result<(), PrincipalFault> {
    if text == "*" {
        return Ok(());
    }
    if text.contains(['*', '?']) {
        return Err(PrincipalFault::PartialWildcard);
    }
    if kind == PrincipalKind::Aws && AwsPrincipal::parse(text).is_none() {
        return Err(PrincipalFault::InvalidAwsPrincipal);
    }
    Ok(())
}

pub(crate) fn check_condition_key(text: &str) -> Result<(), Fault> {
    let is_key = text.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty() && !service.contains(char::is_whitespace) && !name.is_empty()
    });
    if is_key && text.trim() == text && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(Fault::InvalidConditionKey)
}
