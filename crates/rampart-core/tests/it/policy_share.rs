//! A resource's own policy, taken apart into shares and put together again by RAM, grants what it granted.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rampart_core::Partition;
use rampart_core::policy_share::PolicyGrant;
use rampart_core::policy_share::read::read;
use rampart_core::resource_policy::document;
use rampart_policy::{Document, same_grants};
use serde_json::{Value, json};

use crate::resource_policy::{RESOURCE, asked};

const ACTIONS: [&str; 4] = ["acme:Get", "acme:get", "acme:*", "acme:List"];
const PRINCIPALS: [&str; 5] = [
    "222222222222",
    "arn:aws:iam::222222222222:root",
    "arn:aws:iam::333333333333:root",
    "arn:aws:iam::222222222222:role/path/deploy",
    "arn:aws:iam::222222222222:user/ana",
];
const SERVICES: [&str; 2] = ["acm.amazonaws.com", "pca-connector-ad.amazonaws.com"];
const SOURCES: [(&str, &str, &str); 4] = [
    ("StringEquals", "aws:SourceAccount", "222222222222"),
    ("ArnLike", "aws:sourcearn", "arn:aws:acm:eu-west-1:222222222222:other/*"),
    ("StringEquals", "aws:SourceOrgID", "o-aaaaaaaaaa"),
    ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-aaaaaaaaaa/r-ab12/ou-ab12-22222222/*"),
];
const CONDITIONS: [&str; 5] = [
    "{}",
    r#"{"StringEquals": {"aws:ResourceTag/x": ["1", "2"]}}"#,
    r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}}"#,
    r#"{"StringLike": {"aws:ResourceTag/x": "${aws:Unused}*"}, "Null": {"aws:SourceAccount": "false"}}"#,
    r#"{"Bool": {"aws:Absent": "true"}}"#,
];

fn statement() -> impl Strategy<Value = Value> {
    let identities = subsequence(PRINCIPALS.to_vec(), 1..=3).prop_map(|names| (json!({"AWS": names}), None));
    let services = (subsequence(SERVICES.to_vec(), 1..=2), select(&SOURCES[..]))
        .prop_map(|(names, source)| (json!({"Service": names}), Some(source)));
    let principals = prop_oneof![3 => identities.boxed(), 1 => services.boxed()];
    let actions = subsequence(ACTIONS.to_vec(), 1..=2);
    (principals, actions, select(&CONDITIONS[..]), any::<bool>()).prop_map(
        |((principals, source), actions, condition, everywhere)| {
            let mut condition: Value = serde_json::from_str(condition).unwrap();
            if let Some((operator, key, value)) = source {
                condition[operator][key] = json!(value);
            }
            let resource = if everywhere { "*".to_owned() } else { rampart_policy::literal(RESOURCE) };
            json!({"Effect": "Allow", "Principal": principals, "Action": actions, "Resource": resource,
                   "Condition": condition})
        },
    )
}

fn policy() -> impl Strategy<Value = String> {
    // In the language of 2008 `${aws:Unused}` is a text.
    (vec(statement(), 1..4), select(&["2012-10-17", "2008-10-17"][..])).prop_map(
        |(mut statements, version)| {
            if version == "2008-10-17" {
                for statement in &mut statements {
                    statement["Resource"] = json!("*");
                }
            }
            json!({"Version": version, "Statement": statements}).to_string()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_of_a_policy_grants_the_same(policy in policy(), requests in vec(asked(), 8)) {
        let before = Document::parse(&policy).unwrap();
        let grants = read(&policy, RESOURCE, Partition::Aws, &[]).unwrap();
        let after = document(RESOURCE, Partition::Aws, grants.iter().map(PolicyGrant::as_grant)).unwrap();
        for mut request in requests {
            request.resource = RESOURCE;
            prop_assert_eq!(
                request.is_allowed_by(&after), request.is_allowed_by(&before),
                "{:?} {} {}", request, policy, after.to_json()
            );
        }
        // Read again, it is the same: an owner may put what RAM shows.
        let again = read(&after.to_json(), RESOURCE, Partition::Aws, &[]).unwrap();
        let again = document(RESOURCE, Partition::Aws, again.iter().map(PolicyGrant::as_grant)).unwrap();
        prop_assert!(same_grants(&again, &after), "{} {}", again.to_json(), after.to_json());
    }
}
