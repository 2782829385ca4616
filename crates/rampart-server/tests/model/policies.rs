//! What shares give of a resource, as the policy that RAM makes of them (reference §8).

use serde_json::{Value, json};

use crate::attached::Attached;
use crate::catalog::TYPES;
use crate::permission::managed;
use crate::share::{Kind, Row, Share, Standing};
use crate::world::{Answer, Caller, World, allows, refused, texts};

impl World {
    /// One policy for each of the caller's resources that is shared with somebody; refused when one is in none of its
    /// shares.
    pub(crate) fn get_resource_policies(&self, who: Caller<'_>, input: &Value) -> Answer {
        let mut policies = Vec::new();
        for arn in texts(input, "resourceArns") {
            let mine = |share: &&Share| share.owner == who.account && share.region == who.region;
            let shares = self.shares.iter().filter(mine);
            let held: Vec<(&Share, &Row)> = shares
                .filter_map(|share| Some((share, share.live().find(|row| row.entity == arn)?)))
                .collect();
            if held.is_empty() {
                return refused("ResourceArnNotFound");
            }
            let given = held.iter().flat_map(|(share, row)| self.statements(share, row, input));
            let statements: Vec<Value> = given.collect();
            if !statements.is_empty() {
                policies.push(json!({"Version": "2012-10-17", "Statement": statements}));
            }
        }
        Ok(json!({"policies": policies}))
    }

    /// For each statement of the permission one for each kind of principal, with what RAM demands of it.
    fn statements(&self, share: &Share, resource: &Row, input: &Value) -> Vec<Value> {
        let takes_effect =
            |row: &Row| matches!(row.standing, Standing::Granted(at, _) if self.moment().is_settled(at));
        let Kind::Resource(of) = resource.kind else { return Vec::new() };
        if !takes_effect(resource) {
            return Vec::new();
        }
        let live: Vec<&Row> = share.live().filter(|row| takes_effect(row)).collect();
        let of_kind = |kinds: &[Kind]| -> Vec<&str> {
            let rows = live.iter().filter(|row| kinds.contains(&row.kind));
            rows.map(|row| row.entity.as_str()).filter(|entity| allows(input, "principal", entity)).collect()
        };
        let named: Vec<String> = of_kind(&[Kind::Account, Kind::Identity]).into_iter().map(named).collect();
        let (units, organizations): (Vec<&str>, Vec<&str>) =
            of_kind(&[Kind::Organizational]).into_iter().partition(|arn| arn.contains(":ou/"));
        let services = of_kind(&[Kind::Service]);
        let sources: Vec<&Row> = live.iter().copied().filter(|row| row.kind == Kind::Source).collect();
        let organizations: Vec<_> =
            organizations.iter().filter_map(|arn| arn.split('/').next_back()).collect();
        let paths: Vec<String> = units.iter().map(|arn| path(arn)).collect();
        let mut audiences = Vec::new();
        if !named.is_empty() {
            audiences.push((json!({"AWS": named}), json!({})));
        }
        if !organizations.is_empty() {
            audiences.push((json!("*"), json!({"StringEquals": {"aws:PrincipalOrgID": organizations}})));
        }
        if !paths.is_empty() {
            audiences.push((json!("*"), json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": paths}})));
        }
        if !services.is_empty() && !sources.is_empty() {
            let accounts: Vec<&str> = sources.iter().map(|row| row.entity.as_str()).collect();
            let condition = json!({"StringEquals": {"aws:SourceAccount": accounts}});
            audiences.push((json!({"Service": services}), condition));
        }
        let attached = share.permissions.iter().find(|one| one.of_type == of.name);
        let allowed = attached.map(|one| self.allowed(one)).unwrap_or_default();
        let each = allowed.iter().flat_map(|allowed| audiences.iter().map(move |one| (allowed, one)));
        let statement = |((actions, own), (principal, demand)): (&(Value, Value), &(Value, Value))| {
            let condition = both(own.clone(), demand);
            json!({"Principal": principal, "Action": actions, "Resource": resource.entity, "Condition": condition})
        };
        each.map(statement).collect()
    }

    /// The actions and the condition of each statement of a permission; of AWS's actions only how they begin.
    fn allowed(&self, one: &Attached) -> Vec<(Value, Value)> {
        if let Some((_, of_type, _)) = managed(&one.arn) {
            let (service, _) = of_type.split_once(':').expect("a type has a service");
            let actions = json!(format!("{service}:*"));
            let mut statements = vec![(actions.clone(), json!({}))];
            if one.arn.ends_with("DefaultPermissionCertificateAuthority") {
                let template = "arn:aws:acm-pca:::template/EndEntityCertificate/V1";
                statements.push((actions, json!({"StringEquals": {"acm-pca:TemplateArn": [template]}})));
            }
            return statements;
        }
        let known = self.permissions.iter().find(|known| known.arn() == one.arn);
        let text = known.and_then(|known| known.text(one.version)).expect("what is attached is there");
        let template: Value = serde_json::from_str(text).expect("templates are JSON");
        vec![(template["Action"].clone(), json!({}))]
    }
}

/// What both conditions demand.
fn both(mut one: Value, other: &Value) -> Value {
    for (operator, keys) in other.as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            one[operator][key] = values.clone();
        }
    }
    one
}

fn named(principal: &str) -> String {
    if principal.starts_with("arn:") {
        principal.to_owned()
    } else {
        format!("arn:aws:iam::{principal}:root")
    }
}

/// The paths of all that is in a unit: `…:ou/<org-1>/<unit-5>`.
fn path(arn: &str) -> String {
    let mut parts = arn.split('/').skip(1);
    format!("{}/*/{}/*", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// An answer of the server as the model says it: only types that it knows; and policies are texts, their statements
/// are numbered, and a list of one is that one.
pub(crate) fn plainly(mut answer: Value) -> Value {
    if let Some(types) = answer.get_mut("resourceTypes").and_then(Value::as_array_mut) {
        types.retain(|one| TYPES.iter().any(|of| one["resourceType"] == of.name));
    }
    let policies = answer.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten();
    for policy in policies {
        *policy = serde_json::from_str(policy.as_str().unwrap_or_default()).unwrap_or_default();
        for (at, statement) in policy["Statement"].as_array_mut().into_iter().flatten().enumerate() {
            let members = statement.as_object_mut().expect("a statement is an object");
            let is_plain = members.remove("Sid") == Some(json!(format!("RamStatement{}", at + 1)))
                && members.remove("Effect") == Some(json!("Allow"));
            if !is_plain {
                members.insert("Sid".to_owned(), json!("wrong"));
            }
            statement["Action"] = brief(&statement["Action"]);
            for member in ["Principal", "Condition"] {
                statement[member] = listed(&statement[member]);
            }
        }
    }
    answer
}

/// Actions that a permission of AWS has, by their service.
fn brief(actions: &Value) -> Value {
    let first = actions[0].as_str().or(actions.as_str()).unwrap_or_default();
    let is_custom = actions.as_array().is_none_or(|actions| actions.len() == 1) && first.contains("builder:");
    let (service, _) = first.split_once(':').unwrap_or_default();
    if is_custom { json!(first) } else { json!(format!("{service}:*")) }
}

/// Values that stand alone become lists of one; what is absent is an empty object.
fn listed(value: &Value) -> Value {
    let Some(members) = value.as_object() else {
        return if value.is_null() { json!({}) } else { value.clone() };
    };
    let list = |member: &Value| match member {
        Value::String(_) => json!([member]),
        Value::Object(_) => listed(member),
        _ => member.clone(),
    };
    members.iter().map(|(name, member)| (name.clone(), list(member))).collect()
}
