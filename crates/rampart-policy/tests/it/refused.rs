//! What is not a document: the message and the place.

use rampart_policy::{Document, Form};
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
