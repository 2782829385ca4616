//! The document that is made of shares grants what the shares grant, no more and no less.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rampart_core::resource_policy::{Grant, document};
use rampart_core::{Partition, Principal};
use rampart_policy::{Context, Document, PolicySet, Request, Statement, Template};

/// Some types have names that hold what a policy takes for a wildcard or a variable.
pub(crate) const RESOURCE: &str = "arn:aws:acme:eu-west-1:111111111111:cluster/a*b?${aws:x}";
const OTHERS: [&str; 2] = [
    "arn:aws:acme:eu-west-1:111111111111:cluster/aXb?${aws:x}",
    "arn:aws:acme:eu-west-1:111111111111:cluster/a",
];
const PRINCIPALS: [&str; 9] = [
    "222222222222",
    "333333333333",
    "arn:aws:iam::222222222222:role/path/deploy",
    "arn:aws:iam::222222222222:user/ana",
    "arn:aws:organizations::999999999999:organization/o-aaaaaaaaaa",
    "arn:aws:organizations::999999999999:organization/o-bbbbbbbbbb",
    "arn:aws:organizations::999999999999:ou/o-aaaaaaaaaa/ou-ab12-11111111",
    "acm.amazonaws.com",
    "pca-connector-ad.amazonaws.com",
];
const SOURCES: [&str; 7] = [
    "222222222222",
    "333333333333",
    "arn:aws:acm:eu-west-1:222222222222:thing/x",
    "arn:aws:acm:eu-west-1:222222222222:other/*",
    "o-aaaaaaaaaa",
    "o-aaaaaaaaaa/r-ab12/ou-ab12-11111111/",
    "o-aaaaaaaaaa/r-ab12/ou-ab12-22222222/*",
];
/// What permissions ask for themselves: nothing, a key of their own, and each operator and key that RAM uses.
const CONDITIONS: [&str; 10] = [
    "{}",
    r#"{"StringEquals": {"aws:ResourceTag/x": ["1", "2"]}}"#,
    r#"{"StringEquals": {"aws:principalorgid": ["o-aaaaaaaaaa", "o-cccccccccc"]}}"#,
    r#"{"StringEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb", "aws:SourceAccount": "222222222222"}}"#,
    r#"{"StringEquals": {"aws:SourceAccount": "333333333333"}}"#,
    r#"{"StringEquals": {"aws:SourceOrgID": "${aws:PrincipalOrgID}"}}"#,
    r#"{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaaaaaaaa/r-ab12/ou-ab12-11111111/*"}}"#,
    r#"{"ForAnyValue:StringLike": {"AWS:SourceOrgPaths": "o-aaaaaaaaaa/*"}}"#,
    r#"{"ArnLike": {"aws:SourceArn": "arn:aws:acm:*:*:thing/*"}}"#,
    r#"{"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}"#,
];
const CALLERS: [(&str, &str); 8] = [
    ("222222222222", "arn:aws:iam::222222222222:root"),
    ("222222222222", "arn:aws:iam::222222222222:user/ana"),
    ("222222222222", "arn:aws:iam::222222222222:role/path/deploy"),
    ("222222222222", "arn:aws:sts::222222222222:assumed-role/deploy/session"),
    ("333333333333", "arn:aws:iam::333333333333:user/ana"),
    ("444444444444", "arn:aws:iam::444444444444:role/path/deploy"),
    ("", "acm.amazonaws.com"),
    ("", "pca-connector-ad.amazonaws.com"),
];
const KEYS: [(&str, &[&str]); 6] = [
    ("aws:ResourceTag/x", &["1", "3"]),
    ("aws:PrincipalOrgID", &["o-aaaaaaaaaa", "o-bbbbbbbbbb"]),
    ("aws:SourceAccount", &["222222222222", "333333333333"]),
    (
        "aws:SourceArn",
        &["arn:aws:acm:eu-west-1:222222222222:thing/x", "arn:aws:acm:eu-west-1:222222222222:other/y"],
    ),
    ("aws:SourceOrgID", &["o-aaaaaaaaaa", "o-bbbbbbbbbb"]),
    ("aws:Unused", &["x"]),
];
/// Of accounts, and of sources: the same form.
const PATHS: [&str; 4] = [
    "o-aaaaaaaaaa/r-ab12/",
    "o-aaaaaaaaaa/r-ab12/ou-ab12-11111111/",
    "o-aaaaaaaaaa/r-ab12/ou-ab12-22222222/ou-ab12-11111111/ou-ab12-33333333/",
    "o-bbbbbbbbbb/r-ab12/ou-ab12-11111111/",
];

#[derive(Clone, Debug)]
pub(crate) struct Asked {
    caller: (&'static str, &'static str),
    action: &'static str,
    pub(crate) resource: &'static str,
    keys: Vec<(&'static str, &'static str)>,
}

impl Asked {
    fn value(&self, key: &str) -> Option<&'static str> {
        self.keys.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    pub(crate) fn is_allowed_by(&self, policy: &Document) -> bool {
        let mut context = Context::new();
        for (key, value) in &self.keys {
            context.insert(key, [*value]);
        }
        let principal = if self.caller.0.is_empty() {
            rampart_policy::Principal::service(self.caller.1)
        } else {
            rampart_policy::Principal::from_arn(self.caller.1).unwrap()
        };
        let request = Request { principal, action: self.action, resource: self.resource, context: &context };
        PolicySet::compile([policy]).unwrap().decide(&request).is_allowed()
    }
}

fn statement(actions: &[&str], condition: &str) -> Statement {
    let text = format!(r#"{{"Effect": "Allow", "Action": {actions:?}, "Condition": {condition}}}"#);
    // RAM's own keys are not for templates, so documents are read here.
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{text}]}}"#);
    Document::parse(&text).unwrap().statements.remove(0)
}

/// A share, as far as it matters here.
#[derive(Clone, Debug)]
struct Share {
    allowed: Vec<Statement>,
    principals: Vec<Principal>,
    sources: Vec<String>,
}

impl Share {
    fn grant(&self) -> Grant<'_> {
        Grant { allowed: &self.allowed, principals: &self.principals, sources: &self.sources }
    }
}

fn share() -> impl Strategy<Value = Share> {
    let allowed = vec((subsequence(vec!["acme:Get", "acme:List"], 1..=2), select(&CONDITIONS[..])), 0..3);
    let principals = subsequence(PRINCIPALS.to_vec(), 0..=4);
    let sources = subsequence(SOURCES.to_vec(), 0..=3);
    (allowed, principals, sources).prop_map(|(allowed, principals, sources)| Share {
        allowed: allowed.iter().map(|(actions, condition)| statement(actions, condition)).collect(),
        principals: principals.iter().map(|text| Principal::parse(text, Partition::Aws).unwrap()).collect(),
        sources: sources.into_iter().map(str::to_owned).collect(),
    })
}

pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let keys = KEYS.map(|(key, values)| select(values).prop_map(move |value| (key, value)));
    let paths = ["aws:PrincipalOrgPaths", "aws:SourceOrgPaths"]
        .map(|key| select(&PATHS[..]).prop_map(move |value| (key, value)).boxed());
    let all: Vec<_> = keys.map(Strategy::boxed).into_iter().chain(paths).collect();
    let keys = (all, vec(prop::bool::weighted(0.7), 8)).prop_map(|(keys, kept)| {
        keys.into_iter().zip(kept).filter_map(|(key, kept)| kept.then_some(key)).collect()
    });
    let resource = prop_oneof![4 => Just(RESOURCE), 1 => select(&OTHERS[..])];
    (select(&CALLERS[..]), select(&["acme:Get", "acme:List", "acme:Drop"][..]), resource, keys)
        .prop_map(|(caller, action, resource, keys)| Asked { caller, action, resource, keys })
}

/// The rules of sharing, without policies: only a permission's own condition is left to the evaluation.
fn may(asked: &Asked, share: &Share) -> bool {
    let permits = |statement: &Statement| {
        let alone = Document { statements: vec![statement.clone()], ..version_2012() };
        asked.is_allowed_by(&alone)
    };
    let is_from = |source: &String| match source.as_str() {
        text if text.starts_with("arn:") => asked.value("aws:SourceArn").is_some_and(|arn| {
            arn == text || text.strip_suffix('*').is_some_and(|head| arn.starts_with(head))
        }),
        text if text.contains('/') => asked.value("aws:SourceOrgPaths").is_some_and(|path| {
            path == text || text.strip_suffix('*').is_some_and(|head| path.starts_with(head))
        }),
        text if text.starts_with("o-") => asked.value("aws:SourceOrgID") == Some(text),
        text => asked.value("aws:SourceAccount") == Some(text),
    };
    let (account, caller) = asked.caller;
    let reaches = |principal: &Principal| match principal {
        Principal::Account(id) => account == id.as_str(),
        Principal::Identity { arn, .. } => {
            arn == caller
                || (arn.contains("222222222222:role") && caller.contains("222222222222:assumed-role"))
        }
        Principal::Organization { id, .. } => asked.value("aws:PrincipalOrgID") == Some(id),
        Principal::OrganizationalUnit { id, arn } => {
            asked.value("aws:PrincipalOrgPaths").is_some_and(|path| {
                let mut units = path.split('/');
                arn.contains(units.next().unwrap()) && units.any(|unit| unit == id)
            })
        }
        Principal::Service(name) => name == caller && share.sources.iter().any(is_from),
    };
    asked.resource == RESOURCE && share.principals.iter().any(reaches) && share.allowed.iter().any(permits)
}

fn version_2012() -> Document {
    Document { version: Some(rampart_policy::Version::V2012), ..Document::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_grants_what_the_shares_grant(shares in vec(share(), 0..3), asked in vec(asked(), 8)) {
        let made = document(RESOURCE, Partition::Aws, shares.iter().map(Share::grant));
        if let Some(made) = &made {
            prop_assert_eq!(&Document::parse(&made.to_json()).unwrap(), made);
        }
        for asked in asked {
            let expected = shares.iter().any(|share| may(&asked, share));
            let allowed = made.as_ref().is_some_and(|made| asked.is_allowed_by(made));
            prop_assert_eq!(allowed, expected, "{:?} {:?}", asked, made.as_ref().map(Document::to_json));
        }
    }
}

/// The property above is of worth only while it meets both answers often.
#[test]
fn random_requests_are_allowed_and_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut allowed = 0;
    for _ in 0..1_000 {
        let shares = vec(share(), 1..3).new_tree(&mut runner).unwrap().current();
        let asked = asked().new_tree(&mut runner).unwrap().current();
        allowed += usize::from(shares.iter().any(|share| may(&asked, share)));
    }
    assert!((50..950).contains(&allowed), "{allowed}");
}

#[test]
fn templates_of_permissions_are_statements_of_documents() {
    let template = Template::parse(r#"{"Effect": "Allow", "Action": ["acme:Get"]}"#).unwrap();
    let share = Share {
        allowed: vec![template.render(&[], &BTreeMap::new()).unwrap()],
        principals: vec![Principal::parse("222222222222", Partition::AwsCn).unwrap()],
        sources: Vec::new(),
    };
    let arn = "arn:aws-cn:acme:cn-north-1:111111111111:cluster/a";
    let made = document(arn, Partition::AwsCn, [share.grant()]);
    let expected = r#"{"Version":"2012-10-17","Statement":[{"Sid":"RamStatement1","Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::222222222222:root"},"Action":"acme:Get","Resource":"arn:aws-cn:acme:cn-north-1:111111111111:cluster/a"}]}"#;
    assert_eq!(made.unwrap().to_json(), expected);
    assert_eq!(document(arn, Partition::AwsCn, [Grant { principals: &[], ..share.grant() }]), None);
}
