//! Parameters of permission templates: declared with a version, given values when it is attached (reference §7.4).

use std::collections::BTreeMap;

use rampart_policy::Template;
use rampart_policy::template::{self, ParameterKind};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::refusal::PermissionRefusal;

/// The longest description of a parameter, in characters. AWS publishes none; ours.
const DESCRIPTION_CHARS_MAX: usize = 1024;

/// How many values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParameterType {
    /// One, put where the placeholder stands.
    String,
    /// One or more, which become a list.
    StringList,
}

impl ParameterType {
    /// Reads the wire's spelling.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text {
            "STRING" => Ok(Self::String),
            "STRING_LIST" => Ok(Self::StringList),
            other => {
                Err(PermissionRefusal::ParameterTypeInvalid { value: other.chars().take(64).collect() }
                    .into())
            }
        }
    }
}

/// A parameter that a version declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Declaration {
    /// The name in `@{name}`.
    pub name: String,
    /// One value or several.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A parameter with the values that it has in one share. Without values it is as it was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// As declared with the version.
    #[serde(flatten)]
    pub declaration: Declaration,
    /// What stands in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl From<Declaration> for Parameter {
    fn from(declaration: Declaration) -> Self {
        Self { declaration, values: Vec::new() }
    }
}

/// Values by the name of their parameter.
pub type Values = BTreeMap<String, Vec<String>>;

/// Checks what a template declares against what it uses.
pub fn check_declarations(template: &Template, declared: &[Declaration]) -> Result<(), Refusal> {
    for declaration in declared {
        let chars = declaration.description.as_deref().unwrap_or_default().chars().count();
        if chars > DESCRIPTION_CHARS_MAX {
            return Err(PermissionRefusal::DescriptionLength { chars }.into());
        }
    }
    Ok(template.check_declarations(&borrowed(declared)).map_err(PermissionRefusal::Parameters)?)
}

/// Gives every declared parameter its values, if with them the template is still one.
pub fn bind(
    template: &Template,
    declared: &[Declaration],
    given: &Values,
) -> Result<Vec<Parameter>, Refusal> {
    template.render(&borrowed(declared), given).map_err(PermissionRefusal::Parameters)?;
    let values = |declaration: &Declaration| given.get(&declaration.name).cloned().unwrap_or_default();
    Ok(declared.iter().map(|one| Parameter { declaration: one.clone(), values: values(one) }).collect())
}

/// The text of a template with values in the place of its parameters.
pub fn render(template: &Template, declared: &[Declaration], given: &Values) -> Result<String, Refusal> {
    Ok(template.render_text(&borrowed(declared), given).map_err(PermissionRefusal::Parameters)?)
}

fn borrowed(declared: &[Declaration]) -> Vec<template::Declaration<'_>> {
    declared.iter().map(borrow).collect()
}

fn borrow(declaration: &Declaration) -> template::Declaration<'_> {
    let kind = match declaration.kind {
        ParameterType::String => ParameterKind::String,
        ParameterType::StringList => ParameterKind::StringList,
    };
    template::Declaration { name: &declaration.name, kind }
}

/// What is declared and what was given, of parameters that have their values.
pub fn values_of(parameters: &[Parameter]) -> (Vec<template::Declaration<'_>>, Values) {
    let declared = parameters.iter().map(|one| borrow(&one.declaration)).collect();
    let values = parameters.iter().map(|one| (one.declaration.name.clone(), one.values.clone())).collect();
    (declared, values)
}
