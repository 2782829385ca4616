//! What is not a document: the message and the place.

use rampart_policy::document::{Principals, Selection};
use rampart_policy::{Document, Form, PolicySet, Statement};
use serde::Deserialize;

use crate::data;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "note")]
    _note: String,
    /// Text or, for texts of several lines, its lines; and the whole error.
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: data::OneOrList,
    #[serde(default)]
    form: String,
    error: String,
}

#[test]
fn every_text_is_refused_as_written() {
    let mut wrong = Vec::new();
    for (name, file) in data::load::<File>("refused") {
        for case in file.cases {
            let text = case.text.into_vec().join("\n");
            let form = match case.form.as_str() {
                "identity" => Form::Identity,
                "resource" => Form::Resource,
                _ => Form::Any,
            };
            let error = Document::parse_as(&text, form).err().map(|error| error.to_string());
            if error.as_ref() != Some(&case.error) {
                wrong.push(format!("{name}: {text}\n  says {error:?}\n  not  {:?}", case.error));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_principal_of_no_names_is_read_and_printed() {
    let text = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":[]},"Action":"a:b"}]}"#;
    assert_eq!(Document::parse(text).unwrap().to_json(), text);
}

#[test]
fn a_document_with_an_empty_list_does_not_compile() {
    let changes: [fn(&mut Statement); 5] = [
        |_| {},
        |statement| statement.actions = Selection::Except(vec![]),
        |statement| statement.resources = Some(Selection::Except(vec![])),
        |statement| statement.principals = Some(Selection::Except(Principals::Named([].into()))),
        |statement| statement.condition.values_mut().flat_map(|keys| keys.values_mut()).for_each(Vec::clear),
    ];
    let text = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": []}, "Action": "a:b", "Resource": "*",
        "Condition": {"StringNotEquals": {"a:b": "c"}}}}"#;
    for (index, change) in changes.into_iter().enumerate() {
        let mut document = Document::parse(text).unwrap();
        change(&mut document.statements[0]);
        assert_eq!(PolicySet::compile([&document]).is_ok(), index == 0, "{index}");
    }
}
