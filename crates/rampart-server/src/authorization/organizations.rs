//! What the operations of Organizations need: an action on each account, unit, root, policy and handshake that is named.

use rampart_core::organization::HandshakeId;
use serde::Deserialize;

use super::{Ask, asks};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::operations::Request;
use crate::operations::organizations::handshakes::forgotten;

/// The members of all inputs that permissions depend on, read as the operations read them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    account_id: Option<String>,
    child_id: Option<String>,
    destination_parent_id: Option<String>,
    handshake_id: Option<String>,
    organizational_unit_id: Option<String>,
    parent_id: Option<String>,
    policy_id: Option<String>,
    policy_type: Option<String>,
    resource_id: Option<String>,
    root_id: Option<String>,
    service_principal: Option<String>,
    source_parent_id: Option<String>,
    tag_keys: Option<Vec<String>>,
    tags: Option<Vec<Tag>>,
    target_id: Option<String>,
    r#type: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

/// The ids of what an operation acts on. Nothing for one that acts on the organization, or on what does not exist yet.
// AWS: the resources are those of the service authorization reference.
fn targets<'i>(operation: &str, input: &'i Input) -> Vec<&'i Option<String>> {
    match operation {
        "AttachPolicy" | "DetachPolicy" => vec![&input.policy_id, &input.target_id],
        "CloseAccount" | "DescribeAccount" | "RemoveAccountFromOrganization" => vec![&input.account_id],
        "CreateOrganizationalUnit"
        | "ListAccountsForParent"
        | "ListChildren"
        | "ListOrganizationalUnitsForParent" => vec![&input.parent_id],
        "DeleteOrganizationalUnit" | "DescribeOrganizationalUnit" | "UpdateOrganizationalUnit" => {
            vec![&input.organizational_unit_id]
        }
        "DeletePolicy" | "DescribePolicy" | "ListTargetsForPolicy" | "UpdatePolicy" => vec![&input.policy_id],
        "DisablePolicyType" | "EnablePolicyType" => vec![&input.root_id],
        "ListParents" => vec![&input.child_id],
        "ListPoliciesForTarget" => vec![&input.target_id],
        "ListTagsForResource" | "TagResource" | "UntagResource" => vec![&input.resource_id],
        "MoveAccount" => vec![&input.account_id, &input.source_parent_id, &input.destination_parent_id],
        _ => Vec::new(),
    }
}

pub(super) async fn asks(app: &App, request: &Request) -> Result<Vec<Ask>, Failure> {
    let call = &request.call;
    let input: Input = asks::body(request)?;
    let is_of_handshake = call.operation.name.ends_with("Handshake");
    if let (true, Some(id)) = (is_of_handshake, &input.handshake_id) {
        return Ok(vec![Ask::new(call.operation, handshake_arn(app, call, id).await?)]);
    }
    let ids: Vec<_> = targets(call.operation.name, &input).into_iter().flatten().collect();
    let resources: Vec<String> = match &ids[..] {
        [] => vec!["*".to_owned()],
        ids => ids.iter().map(|id| arn(call, id)).collect(),
    };
    Ok(resources
        .into_iter()
        .map(|resource| with_keys(call, Ask::new(call.operation, resource), &input))
        .collect())
}

/// The ARN of a handshake that the caller's account is a party of. Of another one nothing is told: it is asked for on `*`.
async fn handshake_arn(app: &App, call: &Call, id: &str) -> Result<String, Failure> {
    let Some(id) = HandshakeId::parse(id) else { return Ok("*".to_owned()) };
    let found = app.store.reader().await?.handshake(&id, forgotten(app, call)).await?;
    let own = found.filter(|found| [found.management, found.target].contains(&call.account));
    Ok(own.map_or_else(|| "*".to_owned(), |own| own.arn(call.region.partition())))
}

/// The ARN of what has this id; `*` for a caller whose account is in no organization, and for what is no id.
fn arn(call: &Call, id: &str) -> String {
    let Some(organization) = &call.caller.organization else { return "*".to_owned() };
    let aws = call.region.partition().as_str();
    let kind = match id {
        _ if id.starts_with("r-") => "root",
        _ if id.starts_with("ou-") => "ou",
        "p-FullAWSAccess" => {
            return format!("arn:{aws}:organizations::aws:policy/service_control_policy/{id}");
        }
        _ if id.starts_with("p-") => "policy",
        _ if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => "account",
        _ => return "*".to_owned(),
    };
    let policy = if kind == "policy" { "service_control_policy/" } else { "" };
    format!("arn:{aws}:organizations::{}:{kind}/{}/{policy}{id}", organization.management, organization.id)
}

fn with_keys(call: &Call, ask: Ask, input: &Input) -> Ask {
    let name = call.operation.name;
    let mut ask = match name {
        "EnableAWSServiceAccess" | "DisableAWSServiceAccess" => {
            ask.with("organizations:ServicePrincipal", input.service_principal.as_deref())
        }
        "CreatePolicy" => ask.with("organizations:PolicyType", input.r#type.as_deref()),
        "EnablePolicyType" | "DisablePolicyType" => {
            ask.with("organizations:PolicyType", input.policy_type.as_deref())
        }
        // There are no policies of other types.
        _ if input.policy_id.is_some() => ask.with("organizations:PolicyType", ["SERVICE_CONTROL_POLICY"]),
        _ => ask,
    };
    let tags = match name {
        "CreateAccount"
        | "CreateOrganizationalUnit"
        | "CreatePolicy"
        | "InviteAccountToOrganization"
        | "TagResource" => input.tags.as_deref().unwrap_or_default(),
        _ => &[],
    };
    ask = ask.with("aws:TagKeys", tags.iter().filter_map(|tag| tag.key.as_deref()));
    for tag in tags {
        if let Some(key) = &tag.key {
            ask = ask.with(&format!("aws:RequestTag/{key}"), [tag.value.as_deref().unwrap_or_default()]);
        }
    }
    if name == "UntagResource" {
        ask = ask.with("aws:TagKeys", input.tag_keys.iter().flatten());
    }
    ask
}
