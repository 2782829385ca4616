//! Each operator against values: does a statement with this one condition apply, as an Allow and as a Deny?

use rampart_policy::{Context, Decision, Document, PolicySet, Principal, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "note")]
    _note: String,
    #[serde(default = "newest")]
    version: String,
    /// Further keys of the request.
    #[serde(default)]
    keys: std::collections::BTreeMap<String, data::OneOrList>,
    cases: Vec<Row>,
}

/// Operator, the policy's values, the request's values or null, whether an Allow applies and whether a Deny does.
type Row = (String, Value, Option<Vec<String>>, bool, bool);

fn newest() -> String {
    "2012-10-17".to_owned()
}

#[test]
fn every_row_applies_as_written() {
    let mut wrong = Vec::new();
    for (name, file) in data::load::<File>("conditions") {
        let mut context = Context::new();
        for (key, values) in &file.keys {
            context.insert(key, values.clone().into_vec());
        }
        for (operator, values, given, allow, deny) in &file.cases {
            let mut context = context.clone();
            context.insert("Test:Key", given.clone().unwrap_or_default());
            for (effect, expected) in [("Allow", *allow), ("Deny", *deny)] {
                let applies = applies(&file.version, effect, operator, values, &context);
                if applies != expected {
                    wrong.push(format!("{name}: {effect} {operator} {values} of {given:?} is {applies}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn applies(version: &str, effect: &str, operator: &str, values: &Value, context: &Context) -> bool {
    let document = json!({"Version": version, "Statement": [{"Effect": effect, "Action": "*", "Resource": "*",
        "Condition": {operator: {"test:key": values}}}]});
    let document =
        Document::parse(&document.to_string()).unwrap_or_else(|error| panic!("{operator} {values}: {error}"));
    let policies = PolicySet::compile(&[document]).unwrap();
    let request = Request { principal: Principal::anonymous(), action: "a:b", resource: "*", context };
    policies.decide(&request) != Decision::ImplicitDeny
}
