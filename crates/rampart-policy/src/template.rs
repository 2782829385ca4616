//! RAM's permission templates: one statement of `Effect`, `Action` and `Condition`, with placeholders.
//!
//! A placeholder `@{name}` stands in the keys and values of the condition. [`Template::render`] puts values in their
//! place: a STRING where it stands, a STRING_LIST as so many values in the place of one.

mod parameters;
mod placeholder;

use std::collections::BTreeMap;

pub use parameters::{
    Declaration, ParameterError, ParameterKind, RENDERED_LEN_MAX, VALUE_LEN_MAX, VALUES_MAX,
};
use placeholder::Use;

use crate::document::{
    Condition, Document, Effect, Fault, ParseError, Reader, Selection, Statement, ValueCheck, Version,
    check_condition_key, find,
};
use crate::json::{Member, Node};
use crate::place::Path;

/// The longest template, in bytes. AWS: the limit is not published.
pub const TEMPLATE_LEN_MAX: usize = 10_240;
/// The most parameters that a template may declare.
pub const PARAMETERS_MAX: usize = 100;

/// The elements that a statement may have and a template may not.
const FORBIDDEN_ELEMENTS: [&str; 8] =
    ["Sid", "Principal", "NotPrincipal", "NotAction", "Resource", "NotResource", "Version", "Statement"];

/// AWS: condition keys that RAM itself sets or that owners must not decide by.
const RESERVED_KEYS: [&str; 7] = [
    "aws:PrincipalOrgId",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalAccount",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgPaths",
    "aws:SourceOrgID",
];
/// AWS: tags whose keys start with `aws:` are reserved too.
const RESERVED_KEY_PREFIXES: [&str; 3] =
    ["aws:PrincipalTag/aws:", "aws:ResourceTag/aws:", "aws:RequestTag/aws:"];

/// A permission's template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    /// The statement as written, placeholders and all.
    statement: Statement,
    /// Where each placeholder stands.
    uses: BTreeMap<String, Use>,
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not parse, or has an element that templates do not have: `MalformedPolicyTemplateException`.
    #[error("{0}")]
    Malformed(ParseError),
    /// It parses and asks for what a permission may not have: `InvalidPolicyException`.
    #[error("{0}")]
    Invalid(ParseError),
}

impl From<ParseError> for TemplateError {
    fn from(error: ParseError) -> Self {
        match error.fault {
            Fault::NotAllow
            | Fault::NegatedOperator(_)
            | Fault::SeveralOperators
            | Fault::ReservedConditionKey(_)
            | Fault::InvalidConditionKey
            | Fault::InvalidValue(_) => Self::Invalid(error),
            _ => Self::Malformed(error),
        }
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(read_template(text)?)
    }

    /// The text that was read, letter by letter.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The actions that it allows.
    pub fn actions(&self) -> &[String] {
        self.statement.actions.listed()
    }

    /// The names of the placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.uses.keys().map(String::as_str)
    }

    /// A document of this one statement, with placeholders as they are written.
    pub(crate) fn raw_document(&self) -> Document {
        Document { version: Some(Version::V2012), id: None, statements: vec![self.statement.clone()] }
    }
}

fn read_template(text: &str) -> Result<Template, ParseError> {
    let reader = Reader { text };
    let top = reader.read_json(TEMPLATE_LEN_MAX)?;
    let path = Path::Top;
    let members = reader.object(&top, &path)?;
    if let Some(member) = members.iter().find(|member| FORBIDDEN_ELEMENTS.contains(&member.key.as_str())) {
        let name = FORBIDDEN_ELEMENTS.into_iter().find(|name| *name == member.key).unwrap_or_default();
        return Err(reader.fail(&path.key(name), member.key_at, Fault::UnexpectedElement(name)));
    }
    reader.refuse_unknown(members, &path, &["Effect", "Action", "Condition"])?;
    let effect = reader.required(members, "Effect", &top, &path)?;
    if reader.read_effect(effect, &path.key("Effect"))? != Effect::Allow {
        return Err(reader.fail(&path.key("Effect"), effect.at, Fault::NotAllow));
    }
    let node = reader.required(members, "Action", &top, &path)?;
    let actions = reader.read_actions(node, &path.key("Action"))?;
    let condition = match find(members, "Condition") {
        None => Condition::new(),
        Some(node) => read_condition(reader, node, &path.key("Condition"))?,
    };
    let uses = placeholder::uses(&condition);
    let actions = Selection::Only(actions);
    let statement =
        Statement { sid: None, effect: Effect::Allow, principals: None, actions, resources: None, condition };
    Ok(Template { text: text.to_owned(), statement, uses })
}

fn read_condition(reader: Reader<'_>, node: &Node, path: &Path<'_>) -> Result<Condition, ParseError> {
    let check = ValueCheck { version: Version::V2012, is_open: placeholder::is_open, check_key };
    let condition = reader.read_condition(node, path, check)?;
    let members: &[Member] = reader.object(node, path)?;
    if let Some(second) = members.get(1) {
        return Err(reader.fail(&path.key(&second.key), second.key_at, Fault::SeveralOperators));
    }
    let negated = condition.keys().find(|operator| operator.comparison.is_negated());
    if let (Some(operator), Some(member)) = (negated, members.first()) {
        let fault = Fault::NegatedOperator(operator.to_string());
        return Err(reader.fail(&path.key(&member.key), member.key_at, fault));
    }
    Ok(condition)
}

/// A key as it is written, or as it is rendered.
fn check_key(key: &str) -> Result<(), Fault> {
    if is_reserved(key) {
        return Err(Fault::ReservedConditionKey(key.to_owned()));
    }
    if placeholder::is_open(key)? { Ok(()) } else { check_condition_key(key) }
}

fn is_reserved(key: &str) -> bool {
    let starts_with =
        |prefix: &str| key.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    RESERVED_KEYS.iter().any(|reserved| reserved.eq_ignore_ascii_case(key))
        || RESERVED_KEY_PREFIXES.into_iter().any(starts_with)
}
