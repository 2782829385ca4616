//! What the operations of IAM need: an action on the user, the role or the policy that is named.

use rampart_aws::query::Member;
use rampart_core::iam::identity::identity_arn;
use rampart_core::iam::service_linked::ram_role_arn;
use rampart_core::iam::{IamName, IamPath, IdentityKind};
use rampart_core::resource_share::Tag;

use super::Ask;
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::identity::Who;
use crate::operations::Request;

/// On what an operation of IAM acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The user or role that is named; a user that is not, is the caller.
    Identity(IdentityKind),
    /// One that does not exist yet.
    New(IdentityKind),
    /// All users, or roles, below a path.
    Path(IdentityKind),
    /// A managed policy.
    Policy,
    /// The role that RAM has in an account.
    ServiceLinkedRole,
}

/// The target of each operation. `None` for an operation that has no line here: it is asked for on `*`.
fn target(operation: &str) -> Option<Target> {
    Some(match operation {
        "CreateUser" => Target::New(IdentityKind::User),
        "CreateRole" => Target::New(IdentityKind::Role),
        "ListUsers" => Target::Path(IdentityKind::User),
        "ListRoles" => Target::Path(IdentityKind::Role),
        "GetPolicy" | "GetPolicyVersion" => Target::Policy,
        "CreateServiceLinkedRole" | "DeleteServiceLinkedRole" | "GetServiceLinkedRoleDeletionStatus" => {
            Target::ServiceLinkedRole
        }
        "AttachUserPolicy"
        | "CreateAccessKey"
        | "DeleteAccessKey"
        | "DeleteUser"
        | "DeleteUserPolicy"
        | "DetachUserPolicy"
        | "GetUser"
        | "GetUserPolicy"
        | "ListAccessKeys"
        | "ListAttachedUserPolicies"
        | "ListGroupsForUser"
        | "ListUserPolicies"
        | "ListUserTags"
        | "PutUserPolicy"
        | "TagUser"
        | "UntagUser"
        | "UpdateAccessKey" => Target::Identity(IdentityKind::User),
        "AttachRolePolicy"
        | "DeleteRole"
        | "DeleteRolePolicy"
        | "DetachRolePolicy"
        | "GetRole"
        | "GetRolePolicy"
        | "ListAttachedRolePolicies"
        | "ListInstanceProfilesForRole"
        | "ListRolePolicies"
        | "ListRoleTags"
        | "PutRolePolicy"
        | "TagRole"
        | "UntagRole"
        | "UpdateAssumeRolePolicy"
        | "UpdateRole"
        | "UpdateRoleDescription" => Target::Identity(IdentityKind::Role),
        _ => return None,
    })
}

/// Whether an operation has a line above.
#[cfg(test)]
pub(super) fn is_listed(operation: &str) -> bool {
    target(operation).is_some()
}

pub(super) async fn asks(app: &App, request: &Request) -> Result<Vec<Ask>, Failure> {
    let (call, form) = (&request.call, &request.form);
    let (arn, tags) = resource(app, request).await?;
    let name = call.operation.name;
    let mut ask = Ask::new(call.operation, arn);
    let requested = match name {
        "CreateUser" | "CreateRole" | "TagUser" | "TagRole" => form.members("Tags"),
        _ => Vec::new(),
    };
    ask = ask.with("aws:TagKeys", requested.iter().filter_map(|tag| tag.get("Key")));
    for tag in &requested {
        if let (Some(key), Some(value)) = (tag.get("Key"), tag.get("Value")) {
            ask = ask.with(&format!("aws:RequestTag/{key}"), [value]);
        }
    }
    match name {
        "UntagUser" | "UntagRole" => {
            ask = ask.with("aws:TagKeys", form.members("TagKeys").iter().filter_map(Member::value));
        }
        "AttachUserPolicy" | "AttachRolePolicy" | "DetachUserPolicy" | "DetachRolePolicy" => {
            ask = ask.with("iam:PolicyARN", form.get("PolicyArn"));
        }
        "CreateServiceLinkedRole" => ask = ask.with("iam:AWSServiceName", form.get("AWSServiceName")),
        _ => {}
    }
    for tag in &tags {
        for namespace in ["aws", "iam"] {
            ask = ask.with(&format!("{namespace}:ResourceTag/{}", tag.key), [tag.value.as_str()]);
        }
    }
    // AWS: what is made with tags needs the permission to tag, too.
    let tagging = match name {
        "CreateUser" if !requested.is_empty() => Some("TagUser"),
        "CreateRole" if !requested.is_empty() => Some("TagRole"),
        _ => None,
    };
    let tagging = tagging.map(|action| Ask { action: format!("iam:{action}"), ..ask.clone() });
    Ok([Some(ask), tagging].into_iter().flatten().collect())
}

/// The ARN of what the call is about, and its tags.
async fn resource(app: &App, request: &Request) -> Result<(String, Vec<Tag>), Failure> {
    let (call, form) = (&request.call, &request.form);
    let (partition, account) = (call.region.partition(), call.account);
    let noun = |kind: IdentityKind, rest: &str| {
        format!("arn:{}:iam::{account}:{}{rest}", partition.as_str(), kind.as_str())
    };
    let plain = |arn: String| Ok((arn, Vec::new()));
    match target(call.operation.name) {
        None => plain("*".to_owned()),
        Some(Target::Policy) => plain(form.get("PolicyArn").unwrap_or("*").to_owned()),
        Some(Target::ServiceLinkedRole) => plain(ram_role_arn(partition, account)),
        Some(Target::Path(kind)) => plain(noun(kind, form.get("PathPrefix").unwrap_or("/"))),
        Some(Target::New(kind)) => {
            let name = name_in(request, kind).unwrap_or("*");
            plain(noun(kind, &format!("{}{name}", form.get("Path").unwrap_or("/"))))
        }
        Some(Target::Identity(kind)) => named(app, call, kind, name_in(request, kind)).await,
    }
}

fn name_in(request: &Request, kind: IdentityKind) -> Option<&str> {
    request.form.get(match kind {
        IdentityKind::User => "UserName",
        IdentityKind::Role => "RoleName",
    })
}

/// A user or role by its name. One that is not there is taken to be at the root: whoever may see it, may see that.
async fn named(
    app: &App,
    call: &Call,
    kind: IdentityKind,
    name: Option<&str>,
) -> Result<(String, Vec<Tag>), Failure> {
    let (partition, account) = (call.region.partition(), call.account);
    let name = match (name, &call.caller.who) {
        (Some(text), _) => match IamName::of_identity(text, "UserName") {
            Ok(name) => name,
            // No user has it: the operation will say what is wrong with it.
            Err(_) => {
                return Ok((
                    format!("arn:{}:iam::{account}:{}/*", partition.as_str(), kind.as_str()),
                    Vec::new(),
                ));
            }
        },
        (None, Who::User(user)) if kind == IdentityKind::User => user.name.clone(),
        (None, _) => return Ok((call.caller.arn(partition), Vec::new())),
    };
    let found = app.store.reader().await?.iam_identity(account, kind, &name).await?;
    Ok(match found {
        Some(identity) => (identity.arn(partition), identity.tags),
        None => (identity_arn(partition, account, kind, &IamPath::root(), &name), Vec::new()),
    })
}
