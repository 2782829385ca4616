//! Requests against documents.

use std::collections::BTreeMap;

use rampart_policy::{Context, Decision, Document, PolicySet, Principal, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::data::{self, OneOrList};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "note")]
    _note: String,
    policies: Vec<Value>,
    requests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// An ARN, `service:NAME`, `federated:NAME` or `anonymous`.
    #[serde(default = "ana")]
    principal: String,
    role: Option<String>,
    canonical_user: Option<String>,
    #[serde(default = "action")]
    action: String,
    #[serde(default = "resource")]
    resource: String,
    #[serde(default)]
    keys: BTreeMap<String, OneOrList>,
    /// `ImplicitDeny`, or the decision and `document/statement`: `Allow 0/1`.
    decision: String,
}

fn ana() -> String {
    "arn:aws:iam::111122223333:user/ana".to_owned()
}

fn action() -> String {
    "s3:GetObject".to_owned()
}

fn resource() -> String {
    "arn:aws:s3:::bucket/key".to_owned()
}

#[test]
fn every_request_is_decided_as_written() {
    let mut wrong = Vec::new();
    for (name, file) in data::load::<File>("evaluate") {
        let parse = |policy: &Value| {
            Document::parse(&policy.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let documents: Vec<Document> = file.policies.iter().map(parse).collect();
        let policies = PolicySet::compile(&documents).unwrap();
        for (index, case) in file.requests.iter().enumerate() {
            let decision = decide(&policies, case);
            if decision != case.decision {
                wrong.push(format!("{name}, request {index}: {decision}, not {}", case.decision));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn decide(policies: &PolicySet, case: &Case) -> String {
    let mut context = Context::new();
    for (key, values) in &case.keys {
        context.insert(key, values.clone().into_vec());
    }
    let mut principal = match case.principal.split_once(':') {
        _ if case.principal == "anonymous" => Principal::anonymous(),
        Some(("service", name)) => Principal::service(name),
        Some(("federated", provider)) => Principal::federated(provider),
        _ => Principal::from_arn(&case.principal).unwrap(),
    };
    if let Some(role) = &case.role {
        principal = principal.with_role(role);
    }
    if let Some(id) = &case.canonical_user {
        principal = principal.with_canonical_user(id);
    }
    let request = Request { principal, action: &case.action, resource: &case.resource, context: &context };
    match policies.decide(&request) {
        Decision::Allow(by) => format!("Allow {}/{}", by.document, by.statement),
        Decision::ExplicitDeny(by) => format!("ExplicitDeny {}/{}", by.document, by.statement),
        Decision::ImplicitDeny => "ImplicitDeny".to_owned(),
    }
}
