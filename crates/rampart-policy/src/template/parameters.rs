//! Parameters of a template: declared, used, and given.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::placeholder::{Part, is_name, split};
use super::{PARAMETERS_MAX, Template, check_key};
use crate::document::{Condition, Fault, Lists, Statement, Version, write_text};
use crate::evaluate::check_value;
use crate::operator::Comparison;

/// The longest value of a parameter, in bytes. AWS publishes none; ours.
pub const VALUE_LEN_MAX: usize = 2_048;
/// The most values that a parameter takes. AWS publishes none; ours.
pub const VALUES_MAX: usize = 500;
/// The longest text of a statement with the values of its parameters, in bytes; a list counts with its brackets. AWS
/// publishes none; ours.
pub const RENDERED_LEN_MAX: usize = 20_480;

/// A parameter that a template declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration<'a> {
    /// The name in `@{name}`.
    pub name: &'a str,
    /// One value or several.
    pub kind: ParameterKind,
}

/// How many values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterKind {
    /// `STRING`: one, put where the placeholder stands.
    String,
    /// `STRING_LIST`: one or more, in the place of a value.
    StringList,
}

/// Why a template, its declarations and the values given do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Too many declarations.
    #[error("a template declares at most 100 parameters")]
    TooMany,
    /// Not a name.
    #[error("`{0}` is not the name of a parameter: a name is up to 128 letters, digits and `_`, `-` or `.`")]
    InvalidName(String),
    /// A name that is declared already.
    #[error("the parameter `{0}` is declared twice")]
    DeclaredTwice(String),
    /// A placeholder without declaration.
    #[error("the template uses the parameter `{0}`, which is not declared")]
    Undeclared(String),
    /// A declaration without placeholder.
    #[error("the parameter `{0}` is declared and the template does not use it")]
    Unused(String),
    /// A list in a key or in the midst of a value.
    #[error("the list `{0}` can only stand for a whole value of a condition")]
    ListInText(String),
    /// A declared parameter without values.
    #[error("the parameter `{0}` has no value")]
    Missing(String),
    /// Values for what is not declared.
    #[error("there is no parameter `{0}`")]
    Unknown(String),
    /// A STRING with several values.
    #[error("the parameter `{0}` takes one value")]
    SeveralValues(String),
    /// A value that is too long.
    #[error("a value of the parameter `{0}` has more than {VALUE_LEN_MAX} bytes")]
    ValueTooLong(String),
    /// A STRING_LIST with too many values.
    #[error("the parameter `{0}` has more than {VALUES_MAX} values")]
    TooManyValues(String),
    /// The values make the statement too long.
    #[error("with the values of the parameter `{0}` the permission has more than {RENDERED_LEN_MAX} bytes")]
    ResultTooLong(String),
    /// The values make two keys the same.
    #[error("with these values the condition has the key `{0}` twice")]
    DuplicateKey(String),
    /// The values make a condition that a permission may not have.
    #[error("with these values the condition on `{key}` is not valid: {fault}")]
    InvalidResult {
        /// The key, rendered.
        key: String,
        /// What is wrong.
        fault: Fault,
    },
}

type Values = BTreeMap<String, Vec<String>>;

impl Template {
    /// Checks that declarations and placeholders go together.
    ///
    /// AWS: that a declared parameter must be used is inferred.
    pub fn check_declarations(&self, declared: &[Declaration<'_>]) -> Result<(), ParameterError> {
        if declared.len() > PARAMETERS_MAX {
            return Err(ParameterError::TooMany);
        }
        let mut names = BTreeSet::new();
        for Declaration { name, kind } in declared {
            if !is_name(name) {
                return Err(ParameterError::InvalidName((*name).to_owned()));
            }
            if !names.insert(*name) {
                return Err(ParameterError::DeclaredTwice((*name).to_owned()));
            }
            match self.uses.get(*name) {
                None => return Err(ParameterError::Unused((*name).to_owned())),
                Some(usage) if usage.is_part && *kind == ParameterKind::StringList => {
                    return Err(ParameterError::ListInText((*name).to_owned()));
                }
                Some(_) => {}
            }
        }
        let undeclared = self.placeholders().find(|name| !names.contains(name));
        undeclared.map_or(Ok(()), |name| Err(ParameterError::Undeclared(name.to_owned())))
    }

    /// Puts values in the place of placeholders. A value is text: a placeholder inside it stays as it is.
    pub fn render(&self, declared: &[Declaration<'_>], given: &Values) -> Result<Statement, ParameterError> {
        self.rendered(declared, given).map(|(statement, _)| statement)
    }

    /// The same as text, in which a STRING_LIST is an array though it be of one value.
    pub fn render_text(
        &self,
        declared: &[Declaration<'_>],
        given: &Values,
    ) -> Result<String, ParameterError> {
        self.rendered(declared, given).map(|(statement, lists)| statement.to_json_with(&lists))
    }

    /// The rendered statement, and where lists stand in it.
    fn rendered(
        &self,
        declared: &[Declaration<'_>],
        given: &Values,
    ) -> Result<(Statement, Lists), ParameterError> {
        self.check_declarations(declared)?;
        check_given(declared, given)?;
        self.check_len(given)?;
        let is_list = |text: &String| {
            let name = text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}'));
            let is_it =
                |one: &Declaration<'_>| Some(one.name) == name && one.kind == ParameterKind::StringList;
            declared.iter().any(is_it)
        };
        let (mut condition, mut lists) = (Condition::new(), Lists::new());
        for (operator, keys) in &self.statement.condition {
            let mut rendered = Values::new();
            for (key, values) in keys {
                let key = fill(key, given).concat();
                if values.iter().any(is_list) {
                    lists.insert((*operator, key.clone()));
                }
                let values: Vec<String> = values.iter().flat_map(|value| fill(value, given)).collect();
                check_result(operator.comparison, &key, &values)?;
                if rendered.keys().any(|other| other.eq_ignore_ascii_case(&key)) {
                    return Err(ParameterError::DuplicateKey(key));
                }
                rendered.insert(key, values);
            }
            condition.insert(*operator, rendered);
        }
        Ok((Statement { condition, ..self.statement.clone() }, lists))
    }

    /// Adds up what the statement's text will be, before any of it is put together: a small template can use a value a
    /// thousand times.
    fn check_len(&self, given: &Values) -> Result<(), ParameterError> {
        let keys_and_values = self.statement.condition.values().flatten();
        let texts = keys_and_values.flat_map(|(key, values)| iter::once(key).chain(values));
        let parts = texts.flat_map(|text| split(text).expect("the template was checked when it was read"));
        let names = parts.filter_map(|part| match part {
            Part::Placeholder(name) => Some(name),
            Part::Text(_) => None,
        });
        let lens: BTreeMap<&str, usize> =
            given.iter().map(|(name, values)| (name.as_str(), printed_len(values))).collect();
        let mut len = self.statement.to_json().len();
        for name in names.clone() {
            len -= "@{}".len() + name.len();
        }
        for name in names {
            len += lens.get(name).copied().unwrap_or_default();
            if len > RENDERED_LEN_MAX {
                return Err(ParameterError::ResultTooLong(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// The bytes that values take between the quotes that a placeholder for them stands in.
fn printed_len(values: &[String]) -> usize {
    let quoted = values.iter().map(|value| {
        let mut printed = String::new();
        write_text(&mut printed, value);
        printed.len()
    });
    let commas_and_brackets = if values.len() > 1 { values.len() + 1 } else { 0 };
    (quoted.sum::<usize>() + commas_and_brackets).saturating_sub("\"\"".len())
}

fn check_given(declared: &[Declaration<'_>], given: &Values) -> Result<(), ParameterError> {
    if let Some(name) =
        given.keys().find(|name| declared.iter().all(|declaration| declaration.name != **name))
    {
        return Err(ParameterError::Unknown(name.clone()));
    }
    for Declaration { name, kind } in declared {
        match (kind, given.get(*name).map(Vec::as_slice)) {
            (_, None | Some([])) => return Err(ParameterError::Missing((*name).to_owned())),
            (ParameterKind::String, Some([_, _, ..])) => {
                return Err(ParameterError::SeveralValues((*name).to_owned()));
            }
            (ParameterKind::StringList, Some(values)) if values.len() > VALUES_MAX => {
                return Err(ParameterError::TooManyValues((*name).to_owned()));
            }
            (_, Some(values)) if values.iter().any(|value| value.len() > VALUE_LEN_MAX) => {
                return Err(ParameterError::ValueTooLong((*name).to_owned()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The texts that a text with placeholders becomes: one, or as many as the list that it is.
fn fill(text: &str, given: &Values) -> Vec<String> {
    let values = |name: &str| given.get(name).cloned().unwrap_or_default();
    let parts = split(text).expect("the template was checked when it was read");
    if let [Part::Placeholder(name)] = *parts {
        return values(name);
    }
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => (*text).to_owned(),
        Part::Placeholder(name) => values(name).concat(),
    });
    vec![texts.collect()]
}

fn check_result(comparison: Comparison, key: &str, values: &[String]) -> Result<(), ParameterError> {
    let checked = check_key(key).and_then(|()| {
        values.iter().try_for_each(|value| Ok(check_value(comparison, value, Version::V2012)?))
    });
    checked.map_err(|fault| ParameterError::InvalidResult { key: key.to_owned(), fault })
}
