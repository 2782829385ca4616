//! Pairs of policies that grant the same, and pairs of which that cannot be said.

use rampart_policy::grants::same_template_grants;
use rampart_policy::{Document, Template, same_grants};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "note")]
    _note: String,
    /// The two lists of statements, and the version of each if it matters.
    cases: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    a: Value,
    b: Value,
    #[serde(default)]
    versions: Option<[String; 2]>,
    same: bool,
}

#[test]
fn every_pair_compares_as_written() {
    for (name, file) in data::load::<File>("grants") {
        for Pair { a, b, versions, same } in file.cases {
            let [version_a, version_b] = versions.unwrap_or_else(|| ["2012-10-17"; 2].map(str::to_owned));
            let read = |statement: &Value, version: &str| {
                let text = json!({"Version": version, "Statement": statement}).to_string();
                Document::parse(&text).unwrap_or_else(|error| panic!("{name}: {text}: {error}"))
            };
            let (a, b) = (read(&a, &version_a), read(&b, &version_b));
            assert_eq!(same_grants(&a, &b), same, "{name}: {} and {}", a.to_json(), b.to_json());
            assert_eq!(same_grants(&b, &a), same, "{name}: {} and {}", b.to_json(), a.to_json());
            assert!(same_grants(&a, &a) && same_grants(&b, &b));
        }
    }
}

#[test]
fn templates_compare_with_their_placeholders() {
    let read = |action: &str, value: &str| {
        let condition = json!({"NumericLessThan": {"a:b": value}});
        let template = json!({"Effect": "Allow", "Action": action, "Condition": condition});
        Template::parse(&template.to_string()).unwrap()
    };
    assert!(same_template_grants(&read("a:b", "@{max}"), &read("A:B", "@{max}")));
    assert!(!same_template_grants(&read("a:b", "@{max}"), &read("a:b", "@{least}")));
    assert!(same_template_grants(&read("a:b", "5"), &read("a:b", "5.0")));
}
