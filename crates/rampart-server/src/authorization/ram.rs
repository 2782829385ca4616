//! What the operations of RAM need (reference §12.1 to §12.3).
//!
//! RAM is asked once for the call itself, and once for each principal and each resource in it: in one ask there is only
//! `ram:Principal`, or `ram:ResourceArn` with `ram:RequestedResourceType`, or neither.

use rampart_aws::query::parse_form;
use rampart_core::iam::service_linked::{RAM_SERVICE, ram_role_arn};
use rampart_core::permission::PermissionArn;
use rampart_core::resource_share::Tag;
use rampart_core::{Arn, InvitationArn, ShareArn};
use serde::Deserialize;

use super::{Ask, asks};
use crate::app::{App, Call};
use crate::failure::Failure;
use crate::operations::ram::received;
use crate::operations::ram::tag_resource::TagInput;
use crate::operations::{Request, Service};

/// What an operation's own action is asked for on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// No resource in particular.
    None,
    /// A share that does not exist yet.
    NewShare,
    /// The share that is named.
    Share,
    /// The invitation that is named.
    Invitation,
    /// A permission that does not exist yet.
    NewPermission,
    /// The permission that is named.
    Permission,
    /// The permission and the share that are named.
    PermissionOfShare,
    /// Both permissions that are named.
    Permissions,
    /// The share or the permission that is named.
    Tagged,
}

// AWS: the resources are those of the service authorization reference (reference §12.1).
fn target(operation: &str) -> Option<Target> {
    Some(match operation {
        "AcceptResourceShareInvitation"
        | "ListPendingInvitationResources"
        | "RejectResourceShareInvitation" => Target::Invitation,
        "AssociateResourceShare"
        | "DeleteResourceShare"
        | "DisassociateResourceShare"
        | "ListResourceSharePermissions"
        | "PromoteResourceShareCreatedFromPolicy"
        | "UpdateResourceShare" => Target::Share,
        "AssociateResourceSharePermission" | "DisassociateResourceSharePermission" => {
            Target::PermissionOfShare
        }
        "CreatePermission" => Target::NewPermission,
        "CreateResourceShare" => Target::NewShare,
        "CreatePermissionVersion"
        | "DeletePermission"
        | "DeletePermissionVersion"
        | "GetPermission"
        | "ListPermissionAssociations"
        | "PromotePermissionCreatedFromPolicy"
        | "SetDefaultPermissionVersion"
        | "UpdatePermission" => Target::Permission,
        "ReplacePermissionAssociations" => Target::Permissions,
        "TagResource" | "UntagResource" => Target::Tagged,
        "EnableSharingWithAwsOrganization"
        | "GetResourcePolicies"
        | "GetResourceShareAssociations"
        | "GetResourceShareInvitations"
        | "GetResourceShares"
        | "ListPermissions"
        | "ListPermissionVersions"
        | "ListPrincipals"
        | "ListReplacePermissionAssociationsWork"
        | "ListResourceTypes"
        | "ListResources"
        | "ListSourceAssociations" => Target::None,
        _ => return None,
    })
}

/// The operations whose tags, or filters by tags, are condition keys.
const TAGGING: [&str; 5] =
    ["CreatePermission", "CreateResourceShare", "GetResourceShares", "TagResource", "UntagResource"];

/// Whether an operation has a line above.
#[cfg(test)]
pub(super) fn is_listed(operation: &str) -> bool {
    target(operation).is_some()
}

/// The members of all inputs that permissions depend on, read as the operations read them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    resource_share_arn: Option<String>,
    resource_share_invitation_arn: Option<String>,
    permission_arn: Option<String>,
    from_permission_arn: Option<String>,
    to_permission_arn: Option<String>,
    resource_arn: Option<String>,
    resource_arns: Option<Vec<String>>,
    principals: Option<Vec<String>>,
    name: Option<String>,
    resource_type: Option<String>,
    allow_external_principals: Option<bool>,
    resource_share_configuration: Option<Configuration>,
    tags: Option<Vec<TagInput>>,
    tag_keys: Option<Vec<String>>,
    tag_filters: Option<Vec<TagFilter>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Configuration {
    retain_sharing_on_account_leave_organization: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TagFilter {
    tag_key: Option<String>,
    tag_values: Option<Vec<String>>,
}

/// Reads the input from where the operation does.
fn read(request: &Request) -> Result<Input, Failure> {
    let operation = request.call.operation;
    if operation.method == "POST" && operation.name != "PromoteResourceShareCreatedFromPolicy" {
        return Ok(asks::body(request)?);
    }
    let query = parse_form(request.query.as_bytes())?;
    let member = |name| query.get(name).map(str::to_owned);
    Ok(Input {
        resource_share_arn: member("resourceShareArn"),
        permission_arn: member("permissionArn"),
        ..Input::default()
    })
}

pub(super) async fn asks(app: &App, request: &Request) -> Result<Vec<Ask>, Failure> {
    let call = &request.call;
    let own = |resource: String| Ask::new(call.operation, resource);
    let target = target(call.operation.name).unwrap_or(Target::None);
    if target == Target::None && call.operation.name != "GetResourceShares" {
        let mut asks = vec![own("*".to_owned())];
        if call.operation.name == "EnableSharingWithAwsOrganization" {
            asks.extend(of_enabling(call));
        }
        return Ok(asks);
    }
    let input = read(request)?;
    let named = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".to_owned());
    let mut asks = match target {
        Target::None => vec![own("*".to_owned())],
        Target::NewShare => vec![new_share(call, &input)],
        Target::NewPermission => vec![new_permission(app, call, &input)],
        Target::Share => vec![share(app, call, &input).await?],
        Target::Invitation => {
            vec![invitation(app, call, own(named(&input.resource_share_invitation_arn))).await?]
        }
        Target::Permission => vec![permission(app, call, own(named(&input.permission_arn))).await?],
        Target::PermissionOfShare => vec![
            permission(app, call, own(named(&input.permission_arn))).await?,
            share(app, call, &input).await?,
        ],
        Target::Permissions => vec![
            permission(app, call, own(named(&input.from_permission_arn))).await?,
            permission(app, call, own(named(&input.to_permission_arn))).await?,
        ],
        Target::Tagged if input.resource_share_arn.is_some() => vec![share(app, call, &input).await?],
        Target::Tagged => vec![permission(app, call, own(named(&input.resource_arn))).await?],
    };
    if TAGGING.contains(&call.operation.name) {
        asks = asks.into_iter().map(|ask| with_tags(ask, &input)).collect();
    }
    match call.operation.name {
        "CreateResourceShare" => {
            asks.extend(dependent(&asks[0], &input));
            asks = each_entity(app, &asks, &input);
        }
        "AssociateResourceShare" | "DisassociateResourceShare" => asks = each_entity(app, &asks, &input),
        "CreatePermission" => asks.extend(tagging(&asks[0], &input)),
        _ => {}
    }
    Ok(asks)
}

/// Keys of the tags in the request.
fn with_tags(mut ask: Ask, input: &Input) -> Ask {
    let (tags, removed) = (input.tags.iter().flatten(), input.tag_keys.iter().flatten());
    // AWS: GetResourceShares has these keys, too; of what is inferred: its filters by tag (reference §12.1).
    let filters = input.tag_filters.iter().flatten();
    let keys = tags.clone().filter_map(|tag| tag.key.clone());
    let keys =
        keys.chain(removed.cloned()).chain(filters.clone().filter_map(|filter| filter.tag_key.clone()));
    ask = ask.with("aws:TagKeys", keys);
    for tag in tags {
        if let Some(key) = &tag.key {
            ask = ask.with(&format!("aws:RequestTag/{key}"), [tag.value.clone().unwrap_or_default()]);
        }
    }
    for filter in filters {
        if let Some(key) = &filter.tag_key {
            ask = ask.with(&format!("aws:RequestTag/{key}"), filter.tag_values.iter().flatten());
        }
    }
    ask
}

// AWS: a share that is made is asked for on all shares of the account (reference §12.1).
fn new_share(call: &Call, input: &Input) -> Ask {
    let aws = call.region.partition().as_str();
    let resource = format!("arn:{aws}:ram:{}:{}:resource-share/*", call.region, call.account);
    // AWS: whether the key is there when the parameter is not is unknown; recommended is its default (§12.3).
    let external = flag(input.allow_external_principals.unwrap_or(true));
    let ask = Ask::new(call.operation, resource)
        .with("ram:RequestedAllowsExternalPrincipals", [external])
        .with("ram:AllowsExternalPrincipals", [external]);
    with_retention(ask, input)
}

fn with_retention(ask: Ask, input: &Input) -> Ask {
    let configuration = input.resource_share_configuration.as_ref();
    let retain = configuration.and_then(|given| given.retain_sharing_on_account_leave_organization);
    ask.with("ram:RetainSharingOnAccountLeaveOrganization", [flag(retain.unwrap_or(false))])
}

fn new_permission(app: &App, call: &Call, input: &Input) -> Ask {
    let aws = call.region.partition().as_str();
    let name = input.name.as_deref().unwrap_or("*");
    let arn = format!("arn:{aws}:ram:{}:{}:permission/{name}", call.region, call.account);
    // Types are known whatever the case of their letters: the key has the one spelling that policies can name.
    let asked = input.resource_type.as_deref();
    let known = asked.and_then(|name| app.catalog.type_named(name));
    let resource_type = known.map(|known| known.name.as_str()).or(asked);
    // AWS: CreatePermission has no resource, but the keys of the permission that it makes.
    Ask::new(call.operation, "*")
        .with("ram:PermissionArn", [arn])
        .with("ram:PermissionResourceType", resource_type)
}

/// What CreateResourceShare needs besides.
// AWS: reference §12.3.
fn dependent(create: &Ask, input: &Input) -> Vec<Ask> {
    let has_entities =
        [&input.resource_arns, &input.principals].into_iter().flatten().any(|list| !list.is_empty());
    let associate =
        has_entities.then(|| Ask { action: "ram:AssociateResourceShare".to_owned(), ..create.clone() });
    associate.into_iter().chain(tagging(create, input)).collect()
}

/// What whoever makes something with tags needs besides.
fn tagging(create: &Ask, input: &Input) -> Option<Ask> {
    let has_tags = input.tags.as_ref().is_some_and(|tags| !tags.is_empty());
    has_tags.then(|| Ask { action: "ram:TagResource".to_owned(), ..create.clone() })
}

/// The asks, and again each that shares something for each principal and each resource in the call.
fn each_entity(app: &App, asks: &[Ask], input: &Input) -> Vec<Ask> {
    let is_sharing = |ask: &&Ask| ask.action != "ram:TagResource";
    let mut all = asks.to_vec();
    for ask in asks.iter().filter(is_sharing) {
        let principals = input.principals.iter().flatten();
        all.extend(principals.map(|principal| ask.clone().with("ram:Principal", [principal])));
        let resources = input.resource_arns.iter().flatten();
        all.extend(resources.map(|arn| {
            let resource_type = Arn::parse(arn).ok().and_then(|arn| app.catalog.type_of(&arn));
            let name = resource_type.map(|resource_type| resource_type.name.as_str());
            ask.clone().with("ram:ResourceArn", [arn]).with("ram:RequestedResourceType", name)
        }));
    }
    all
}

// AWS: RAM does this in the caller's name (reference §12.1, §12.5).
fn of_enabling(call: &Call) -> [Ask; 3] {
    let role = ram_role_arn(call.region.partition(), call.account);
    [
        Ask::of(Service::Iam, "CreateServiceLinkedRole", role).with("iam:AWSServiceName", [RAM_SERVICE]),
        Ask::of(Service::Organizations, "DescribeOrganization", "*"),
        Ask::of(Service::Organizations, "EnableAWSServiceAccess", "*")
            .with("organizations:ServicePrincipal", [RAM_SERVICE]),
    ]
}

/// The operation's action on the share that is named, with what the share is.
async fn share(app: &App, call: &Call, input: &Input) -> Result<Ask, Failure> {
    let text = input.resource_share_arn.as_deref().unwrap_or("*");
    let requested = input.allow_external_principals.filter(|_| call.operation.name == "UpdateResourceShare");
    let mut ask =
        Ask::new(call.operation, text).with("ram:RequestedAllowsExternalPrincipals", requested.map(flag));
    let Some(arn) = ShareArn::parse(text) else { return Ok(ask) };
    let reader = app.store.reader().await?;
    // What somebody else's share is called is known to those whom it is shared with.
    let is_known = arn.owner == call.account
        || !reader.associations_of_receiver(arn, call.account.as_str()).await?.is_empty()
        || received::share(&reader, app, call, arn).await?.is_some();
    let share = if is_known { reader.resource_share(arn).await? } else { None };
    let Some(share) = share else { return Ok(ask) };
    ask = ask
        .with("ram:ResourceShareName", [share.name.as_str()])
        .with("ram:AllowsExternalPrincipals", [flag(share.allow_external_principals)])
        .with(
            "ram:RetainSharingOnAccountLeaveOrganization",
            [flag(share.retain_sharing_on_account_leave_organization)],
        );
    // Tags are the owner's: nobody else learns of them, by conditions neither.
    if arn.owner == call.account {
        ask = with_resource_tags(ask, &share.tags);
    }
    Ok(ask)
}

/// With what is known of the invitation that is asked for.
async fn invitation(app: &App, call: &Call, ask: Ask) -> Result<Ask, Failure> {
    let Some(arn) = InvitationArn::parse(&ask.resource) else { return Ok(ask) };
    let ask = ask.with("ram:ShareOwnerAccountId", [arn.sender.as_str()]);
    let reader = app.store.reader().await?;
    let Some(invitation) = reader.invitation(arn).await? else { return Ok(ask) };
    if invitation.receiver != call.account {
        return Ok(ask);
    }
    let share = ShareArn { owner: arn.sender, region: arn.region, id: invitation.share };
    let share = reader.resource_share(share).await?;
    Ok(ask.with("ram:ResourceShareName", share.map(|share| share.name).or(invitation.share_name)))
}

/// With what is known of the permission that is asked for.
async fn permission(app: &App, call: &Call, ask: Ask) -> Result<Ask, Failure> {
    let Ok(arn) = PermissionArn::parse(&ask.resource, call.region.partition()) else { return Ok(ask) };
    let text = ask.resource.clone();
    let ask = ask.with("ram:PermissionArn", [text]);
    match arn {
        PermissionArn::Managed { name } => {
            let managed = app.catalog.permission_named(&name);
            Ok(ask.with("ram:PermissionResourceType", managed.map(|managed| managed.resource_type.as_str())))
        }
        // Somebody else's is told nothing of.
        PermissionArn::Customer { account, region, name } if account == call.account => {
            let permission = app.store.reader().await?.permission(account, region, &name).await?;
            Ok(permission.map_or(ask.clone(), |permission| {
                let ask = ask.with("ram:PermissionResourceType", [permission.resource_type.as_str()]);
                with_resource_tags(ask, &permission.tags)
            }))
        }
        PermissionArn::Customer { .. } => Ok(ask),
    }
}

fn with_resource_tags(mut ask: Ask, tags: &[Tag]) -> Ask {
    for tag in tags {
        for namespace in ["aws", "ram"] {
            ask = ask.with(&format!("{namespace}:ResourceTag/{}", tag.key), [tag.value.as_str()]);
        }
    }
    ask
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
