//! The condition keys that every call has.

use rampart_policy::Context;

use crate::app::Call;
use crate::identity::Who;

/// What is known of the caller, its network and the time.
pub(crate) fn of_call(call: &Call) -> Context {
    let (caller, partition) = (&call.caller, call.region.partition());
    let mut context = Context::new()
        .with("aws:PrincipalArn", caller.principal_arn(partition))
        .with("aws:PrincipalAccount", call.account.as_str())
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:ViaAWSService", "false")
        .with("aws:userid", caller.user_id())
        .with("aws:CurrentTime", call.now.to_string())
        .with("aws:EpochTime", call.now.epoch_s().to_string())
        .with("aws:RequestedRegion", call.region.as_str())
        // There is no TLS here yet, and a proxy's word for it cannot be checked.
        .with("aws:SecureTransport", "false")
        .with(
            "aws:PrincipalType",
            match caller.who {
                Who::Root => "Account",
                Who::User(_) => "User",
                Who::Role { .. } => "AssumedRole",
            },
        );
    if let Some(name) = caller.user_name() {
        context.insert("aws:username", [name.as_str()]);
    }
    for tag in caller.tags() {
        context.insert(&format!("aws:PrincipalTag/{}", tag.key), [tag.value.as_str()]);
    }
    if let Some(organization) = &caller.organization {
        context.insert("aws:PrincipalOrgID", [organization.id.as_str()]);
        context.insert("aws:PrincipalOrgPaths", [organization.path.as_str()]);
    }
    // AWS: long-term credentials do not have these keys.
    if let Some(session) = caller.session {
        context.insert("aws:TokenIssueTime", [session.issued.to_string()]);
        context.insert("aws:MultiFactorAuthPresent", ["false"]);
    }
    if let Some(address) = call.source_ip {
        context.insert("aws:SourceIp", [address.to_string()]);
    }
    if let Some(agent) = &call.user_agent {
        context.insert("aws:UserAgent", [agent.as_str()]);
    }
    context
}
