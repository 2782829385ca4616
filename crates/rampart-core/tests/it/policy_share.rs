//! A resource's own policy, taken apart into shares and put together again by RAM, grants what it granted.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rampart_core::organization::{FeatureSet, Organization, OrganizationId, ParentId};
use rampart_core::policy_share::PolicyGrant;
use rampart_core::policy_share::read::{Subject, read};
use rampart_core::resource_policy::document;
use rampart_core::{Partition, TimestampMs};
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
/// How a policy says that everybody of the owner's organization is meant, or of units of it.
const INSIDE: [&str; 3] = [
    r#"{"StringEquals": {"aws:principalorgid": "o-aaaaaaaaaa"}}"#,
    r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-aaaaaaaaaa/*/ou-ab12-11111111/*",
        "o-aaaaaaaaaa/*/ou-ab12-33333333/*"]}}"#,
    r#"{"StringEquals": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa"]},
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaaaaaaaa/r-ab12/ou-ab12-22222222/*"}}"#,
];
const CONDITIONS: [&str; 5] = [
    "{}",
    r#"{"StringEquals": {"aws:ResourceTag/x": ["1", "2"]}}"#,
    r#"{"StringNotEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}}"#,
    r#"{"StringLike": {"aws:ResourceTag/x": "${aws:Unused}*"}, "Null": {"aws:SourceAccount": "false"}}"#,
    r#"{"Bool": {"aws:Absent": "true"}}"#,
];

fn statement() -> impl Strategy<Value = Value> {
    let identities =
        subsequence(PRINCIPALS.to_vec(), 1..=3).prop_map(|names| (json!({"AWS": names}), json!({})));
    let services = (subsequence(SERVICES.to_vec(), 1..=2), select(&SOURCES[..])).prop_map(
        |(names, (operator, key, value))| (json!({"Service": names}), json!({operator: {key: value}})),
    );
    let everybody = [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["*", "222222222222"]})];
    let everybody = (select(everybody.to_vec()), select(&INSIDE[..]))
        .prop_map(|(name, condition)| (name, serde_json::from_str(condition).unwrap()));
    let principals = prop_oneof![3 => identities.boxed(), 1 => services.boxed(), 1 => everybody.boxed()];
    let actions = subsequence(ACTIONS.to_vec(), 1..=2);
    (principals, actions, select(&CONDITIONS[..]), any::<bool>()).prop_map(
        |((principals, confined), actions, condition, everywhere)| {
            let mut condition: Value = serde_json::from_str(condition).unwrap();
            for (operator, keys) in confined.as_object().unwrap() {
                for (key, values) in keys.as_object().unwrap() {
                    condition[operator][key] = values.clone();
                }
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

/// The owner's organization.
fn home() -> Organization {
    let (id, root) = (OrganizationId::parse("o-aaaaaaaaaa").unwrap(), ParentId::parse("r-ab12").unwrap());
    Organization::new("999999999999".parse().unwrap(), id, root, FeatureSet::All, TimestampMs(0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_of_a_policy_grants_the_same(policy in policy(), requests in vec(asked(), 8)) {
        let before = Document::parse(&policy).unwrap();
        let home = home();
        let subject = Subject { resource: RESOURCE, partition: Partition::Aws, home: Some(&home) };
        let grants = read(&policy, subject, &[]).unwrap().grants;
        let after = document(RESOURCE, Partition::Aws, grants.iter().map(PolicyGrant::as_grant)).unwrap();
        for mut request in requests {
            request.resource = RESOURCE;
            prop_assert_eq!(
                request.is_allowed_by(&after), request.is_allowed_by(&before),
                "{:?} {} {}", request, policy, after.to_json()
            );
        }
        // Read again, it is the same: an owner may put what RAM shows.
        let again = read(&after.to_json(), subject, &[]).unwrap().grants;
        let again = document(RESOURCE, Partition::Aws, again.iter().map(PolicyGrant::as_grant)).unwrap();
        prop_assert!(same_grants(&again, &after), "{} {}", again.to_json(), after.to_json());
    }
}
