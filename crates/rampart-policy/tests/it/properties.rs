//! On random policies and requests: the evaluation agrees with the naive one, printing and reading is the identity, and
//! what is called the same decides alike.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rampart_policy::{Comparison, Context, Decision, Document, PolicySet, Principal, Request, same_grants};
use serde_json::{Value, json};

use crate::naive::{self, Asked};

const PRINCIPALS: [&str; 5] = [
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:role/r",
    "arn:aws:sts::111122223333:assumed-role/r/s",
    "arn:aws:iam::444455556666:user/ana",
];

fn concat(pieces: &'static [&'static str], up_to: usize) -> impl Strategy<Value = String> {
    vec(select(pieces), 0..=up_to).prop_map(|pieces| pieces.concat())
}

fn one_or_many(texts: impl Strategy<Value = String>) -> impl Strategy<Value = Value> {
    vec(texts, 1..4)
        .prop_map(|mut texts| if texts.len() == 1 { texts.remove(0).into() } else { json!(texts) })
}

fn tail() -> impl Strategy<Value = String> {
    concat(
        &["a", "b", "*", "?", "/", "${u:name}", "${u:Name}x", "${u:none}", "${u:none, 'b'}", "${*}", "${$}"],
        4,
    )
}

fn resource_pattern() -> impl Strategy<Value = String> {
    // Every one has a `*` that ends a field, or six fields: others are no resources.
    let fields = || concat(&["a", "b", ":", ":", "*", "?", "${u:name}"], 7);
    prop_oneof![
        1 => Just("*".to_owned()),
        6 => tail().prop_map(|tail| format!("arn:aws:s3:::{tail}")),
        2 => fields().prop_map(|fields| format!("arn:{fields}*")),
        2 => (fields(), tail()).prop_map(|(fields, tail)| format!("arn:{fields}*:{tail}")),
        2 => (fields(), tail()).prop_map(|(fields, tail)| format!("arn:{fields}:::::{tail}")),
    ]
}

fn principals() -> impl Strategy<Value = Value> {
    let name = prop_oneof![select(&PRINCIPALS[..]), Just("111122223333"), Just("*")];
    prop_oneof![1 => Just(json!("*")), 5 => vec(name, 0..4).prop_map(|names| json!({"AWS": names}))]
}

/// Values that an operator accepts in a policy.
fn wanted(comparison: Comparison) -> BoxedStrategy<String> {
    let pick = |texts: &'static [&'static str]| select(texts).prop_map(str::to_owned).boxed();
    match comparison.positive().name() {
        name if name.starts_with("String") => tail().boxed(),
        name if name.starts_with("Numeric") => pick(&["1", "2", "2.0", "-3", "1767225600"]),
        name if name.starts_with("Date") => {
            pick(&["2026-01-01T00:00:00Z", "2025-12-31T23:00:00-01:00", "2026-01-02", "1767225600"])
        }
        name if name.starts_with("Arn") => tail().prop_map(|tail| format!("arn:aws:s3:::{tail}")).boxed(),
        "BinaryEquals" => pick(&["QQ==", "Qg=="]),
        "IpAddress" => pick(&["10.0.0.0/8", "10.0.0.1", "10.0.0.1/31", "0.0.0.0/0"]),
        _ => pick(&["true", "false"]),
    }
}

fn condition() -> impl Strategy<Value = Value> {
    let comparisons: Vec<Comparison> = Comparison::all().collect();
    let block = (select(comparisons), select(&["", "ForAllValues:", "ForAnyValue:"][..]), any::<bool>())
        .prop_flat_map(|(comparison, set, if_exists)| {
            let operator = match comparison {
                Comparison::Null => "Null".to_owned(),
                other => format!("{set}{}{}", other.name(), if if_exists { "IfExists" } else { "" }),
            };
            let keys = proptest::collection::btree_map(
                select(&["k:one", "K:Two"][..]),
                one_or_many(wanted(comparison)),
                1..3,
            );
            (Just(operator), keys)
        });
    vec(block, 0..3).prop_map(|blocks| json!(blocks.into_iter().collect::<BTreeMap<_, _>>()))
}

fn statement() -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        1 => Just("*".to_owned()),
        5 => concat(&["b", "C", "*", "?"], 3).prop_map(|name| format!("a:b{name}"))
    ];
    let parts =
        (any::<bool>(), one_or_many(action), one_or_many(resource_pattern()), principals(), condition());
    (parts, 0..8_u8, 0..3_u8, 0..4_u8).prop_map(
        |((deny, action, resource, principal, condition), a, r, p)| {
            let mut statement =
                json!({"Effect": if deny { "Deny" } else { "Allow" }, "Condition": condition});
            statement[if a == 0 { "NotAction" } else { "Action" }] = action;
            match r {
                0 => statement["NotResource"] = resource,
                _ => statement["Resource"] = resource,
            }
            match p {
                0 if principal != json!({"AWS": []}) => statement["NotPrincipal"] = principal,
                0 | 1 => statement["Principal"] = principal,
                _ => {}
            }
            statement
        },
    )
}

fn policy() -> impl Strategy<Value = Value> {
    vec(statement(), 1..4).prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn asked() -> impl Strategy<Value = Asked> {
    let value = select(
        &[
            "",
            "a",
            "b",
            "A",
            "ab",
            "*",
            "?",
            "true",
            "false",
            "1",
            "2.0",
            "-3",
            "1767225600",
            "2026-01-01T00:00:00Z",
            "2026-01-02",
            "10.0.0.0",
            "10.0.0.1",
            "11.0.0.1",
            "QQ==",
            "Qg==",
            "arn:aws:s3:::a",
            "arn:aws:s3:::b/b",
        ][..],
    )
    .prop_map(str::to_owned);
    let keys = proptest::collection::btree_map(
        select(&["k:one", "k:two", "u:name"][..]).prop_map(str::to_owned),
        vec(value, 1..3),
        0..4,
    );
    let resource = prop_oneof![
        concat(&["a", "b", "*", "/", ":", "x"], 4).prop_map(|tail| format!("arn:aws:s3:::{tail}")),
        concat(&["a", "b", ":", ":"], 8).prop_map(|fields| format!("arn:{fields}")),
        concat(&["a", "b", ":"], 5).prop_map(|fields| format!("arn:{fields}:::::a")),
    ];
    let action = concat(&["b", "c"], 3).prop_map(|name| format!("A:b{name}"));
    (select(&PRINCIPALS[..]), action, resource, keys).prop_map(|(principal, action, resource, keys)| Asked {
        principal,
        action,
        resource,
        keys,
    })
}

fn decide(document: &Document, asked: &Asked) -> Option<&'static str> {
    let policies = PolicySet::compile([document]).unwrap();
    let mut context = Context::new();
    for (key, values) in &asked.keys {
        context.insert(key, values);
    }
    let principal = Principal::from_arn(asked.principal).unwrap();
    let (action, resource) = (asked.action.as_str(), asked.resource.as_str());
    match policies.decide(&Request { principal, action, resource, context: &context }) {
        Decision::Allow(_) => Some("Allow"),
        Decision::ExplicitDeny(_) => Some("Deny"),
        Decision::ImplicitDeny => None,
    }
}

fn parse(policy: &Value) -> Document {
    Document::parse(&policy.to_string()).unwrap_or_else(|error| panic!("{policy}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluation_agrees_with_the_naive_one(policy in policy(), asked in vec(asked(), 8)) {
        let document = parse(&policy);
        for asked in asked {
            let (found, expected) = (decide(&document, &asked), naive::decide(&policy, &asked));
            prop_assert_eq!(found, expected, "{} {} {} {:?}", asked.principal, asked.action, asked.resource, asked.keys);
        }
    }

    #[test]
    fn one_condition_agrees_with_the_naive_one(condition in condition(), deny in any::<bool>(), asked in vec(asked(), 16)) {
        let effect = if deny { "Deny" } else { "Allow" };
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", "Condition": condition}]});
        let document = parse(&policy);
        for asked in asked {
            prop_assert_eq!(decide(&document, &asked), naive::decide(&policy, &asked), "{:?}", asked.keys);
        }
    }

    #[test]
    fn printing_and_reading_is_the_identity(policy in policy()) {
        let document = parse(&policy);
        let printed = document.to_json();
        let again = Document::parse(&printed).unwrap();
        prop_assert_eq!(&again, &document);
        prop_assert_eq!(again.to_json(), printed);
    }

    #[test]
    fn what_is_the_same_decides_alike(policy in policy(), other in statement(), turn in 0..4_usize, asked in vec(asked(), 8)) {
        let document = parse(&policy);
        let mut shuffled = document.clone();
        let len = shuffled.statements.len().max(1);
        shuffled.statements.rotate_left(turn % len);
        prop_assert!(same_grants(&document, &shuffled));
        // A statement more or less: mostly not the same, but when it is, nothing may change.
        let mut more = policy.clone();
        more["Statement"].as_array_mut().unwrap().push(other);
        let more = parse(&more);
        if same_grants(&document, &more) {
            for asked in asked {
                prop_assert_eq!(decide(&document, &asked), decide(&more, &asked));
            }
        }
    }
}
