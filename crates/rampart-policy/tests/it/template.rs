//! Templates: what is read, what is refused and why, and what becomes of placeholders.

use std::collections::BTreeMap;

use rampart_policy::Template;
use rampart_policy::template::{
    Declaration, ParameterError, ParameterKind, RENDERED_LEN_MAX, TemplateError, VALUE_LEN_MAX, VALUES_MAX,
};
use serde::Deserialize;
use serde_json::{Value, json};

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

#[test]
fn a_list_of_one_value_is_an_array_in_the_text() {
    let text = r#"{"Effect": "Allow", "Action": "a:b", "Condition": {"StringLike":
        {"a:@{key}": "@{list}", "a:2": ["@{list}"], "a:3": "@{one}", "a:4": ["x"]}}}"#;
    let template = Template::parse(text).unwrap();
    let declared = [
        Declaration { name: "key", kind: ParameterKind::String },
        Declaration { name: "one", kind: ParameterKind::String },
        Declaration { name: "list", kind: ParameterKind::StringList },
    ];
    let given = ["key", "one", "list"].map(|name| (name.to_owned(), vec![name[..1].to_owned()]));
    let given = BTreeMap::from(given);
    let condition = r#"{"StringLike":{"a:2":["l"],"a:3":"o","a:4":"x","a:k":["l"]}}"#;
    let expected = format!(r#"{{"Effect":"Allow","Action":"a:b","Condition":{condition}}}"#);
    assert_eq!(template.render_text(&declared, &given).unwrap(), expected);
    // A document has it as its canonical form.
    let canonical = expected.replace(r#"["l"]"#, r#""l""#);
    assert_eq!(template.render(&declared, &given).unwrap().to_json(), canonical);
}

/// What becomes of a condition on `a:b` with one parameter `v`: the length of the statement.
fn rendered_len(
    condition: &Value,
    kind: ParameterKind,
    values: Vec<String>,
) -> Result<usize, ParameterError> {
    let text = format!(
        r#"{{"Effect":"Allow","Action":"a:b","Condition":{{"StringEquals":{{"a:b":{condition}}}}}}}"#
    );
    let template = Template::parse(&text).unwrap();
    let declared = [Declaration { name: "v", kind }];
    let given = BTreeMap::from([("v".to_owned(), values)]);
    template.render(&declared, &given).map(|statement| statement.to_json().len())
}

fn error(text: &str) -> Result<usize, String> {
    Err(text.to_owned())
}

#[test]
fn a_value_is_bounded() {
    let render = |len: usize| {
        let rendered = rendered_len(&json!("@{v}"), ParameterKind::String, vec!["x".repeat(len)]);
        rendered.map_err(|error| error.to_string())
    };
    assert!(render(VALUE_LEN_MAX).is_ok());
    assert_eq!(render(VALUE_LEN_MAX + 1), error("a value of the parameter `v` has more than 2048 bytes"));
}

#[test]
fn the_values_of_a_list_are_bounded() {
    let render = |count: usize| {
        let rendered = rendered_len(&json!("@{v}"), ParameterKind::StringList, vec!["x".to_owned(); count]);
        rendered.map_err(|error| error.to_string())
    };
    assert!(render(VALUES_MAX).is_ok());
    assert_eq!(render(VALUES_MAX + 1), error("the parameter `v` has more than 500 values"));
}

#[test]
fn a_rendered_statement_is_bounded() {
    let error = ParameterError::ResultTooLong("v".to_owned());
    let message = error.to_string();
    let too_long = Err(error);
    // A value twenty times and one letter more or less, which the escaped form counts for.
    let around = |rest: usize, value: &str| {
        let text = format!("{}{}", "@{v}".repeat(20), "x".repeat(rest));
        rendered_len(&json!(text), ParameterKind::String, vec![value.to_owned()])
    };
    for value in ["y".repeat(1_000), "\u{1}\"".repeat(125), "\u{20ac}".repeat(333)] {
        let empty = around(0, &value).unwrap();
        let room = RENDERED_LEN_MAX - empty;
        assert_eq!(around(room, &value), Ok(RENDERED_LEN_MAX));
        assert_eq!(around(room + 1, &value), too_long);
    }
    // Lists, each of which counts by itself; empty values too.
    let lists = |count: usize| {
        rendered_len(&json!(vec!["@{v}"; count]), ParameterKind::StringList, vec![String::new(); VALUES_MAX])
    };
    assert!(lists(13).is_ok_and(|len| len <= RENDERED_LEN_MAX));
    assert_eq!(lists(14), too_long);
    // The most that a template can ask for.
    let worst =
        rendered_len(&json!("@{v}".repeat(2_500)), ParameterKind::String, vec!["x".repeat(VALUE_LEN_MAX)]);
    assert_eq!(worst, too_long);
    assert_eq!(message, "with the values of the parameter `v` the permission has more than 20480 bytes");
}
