//! Templates: what is read, what is refused and why, and what becomes of placeholders.

use std::collections::BTreeMap;

use rampart_policy::Template;
use rampart_policy::template::{Declaration, ParameterKind, TemplateError};
use serde::Deserialize;
use serde_json::Value;

use crate::data;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    #[serde(rename = "note")]
    _note: String,
    /// A template, and `ok` or the kind of error and its text.
    cases: Vec<(String, String)>,
}

#[test]
fn every_template_is_read_as_written() {
    let mut wrong = Vec::new();
    for (name, file) in data::load::<Texts>("template") {
        for (text, expected) in file.cases {
            let found = match Template::parse(&text) {
                Ok(template) if template.text() == text => "ok".to_owned(),
                Ok(_) => "changed".to_owned(),
                Err(TemplateError::Malformed(error)) => format!("malformed: {error}"),
                Err(TemplateError::Invalid(error)) => format!("invalid: {error}"),
            };
            if found != expected {
                wrong.push(format!("{name}: {text}\n  is  {found}\n  not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Renderings {
    #[serde(rename = "note")]
    _note: String,
    cases: Vec<Rendering>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rendering {
    condition: Value,
    /// Name and type of each.
    declared: Vec<(String, String)>,
    given: BTreeMap<String, Vec<String>>,
    /// The condition that results, or the error.
    result: Value,
}

#[test]
fn parameters_are_put_in_as_written() {
    let mut wrong = Vec::new();
    for (name, file) in data::load::<Renderings>("template-parameters") {
        for case in file.cases {
            let text = format!(r#"{{"Effect": "Allow", "Action": "a:b", "Condition": {}}}"#, case.condition);
            let template = Template::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let kind = |kind: &str| match kind {
                "STRING" => ParameterKind::String,
                _ => ParameterKind::StringList,
            };
            let declare = |(name, of): &'_ (String, String)| (name.clone(), kind(of));
            let declared: Vec<(String, ParameterKind)> = case.declared.iter().map(declare).collect();
            let declared: Vec<Declaration<'_>> =
                declared.iter().map(|(name, kind)| Declaration { name, kind: *kind }).collect();
            let found = match template.render(&declared, &case.given) {
                Ok(statement) => {
                    let json: Value = serde_json::from_str(&statement.to_json()).unwrap();
                    json["Condition"].clone()
                }
                Err(error) => error.to_string().into(),
            };
            if found != case.result {
                wrong.push(format!("{name}: {}\n  gives {found}\n  not   {}", case.condition, case.result));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
