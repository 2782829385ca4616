//! Deciding one ask, and saying why it was denied.

use rampart_policy::{Context, Decision, Principal, Request};

use super::Ask;
use crate::app::Call;
use crate::failure::Failure;
use crate::identity::{CompiledPolicy, Grants};

/// The kinds of policies, as AWS names them in a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    Identity,
    Session,
    ServiceControl,
}

/// Why an ask is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    kind: PolicyKind,
    is_explicit: bool,
    /// Whether all but the policies of the user or role allow it.
    only_identity_lacks: bool,
}

impl Denial {
    /// Whether it is only that no policy of the user or role allows it.
    pub(crate) fn is_lack_of_identity_policy(self) -> bool {
        self.only_identity_lacks
    }

    // AWS: the sentences are reference §10.36 and §11.3.
    pub(crate) fn failure(self, call: &Call, ask: &Ask) -> Failure {
        let (user, Ask { action, resource, .. }) = (call.caller.arn(call.region.partition()), ask);
        let why = match (self.is_explicit, self.kind) {
            (true, PolicyKind::Identity) => "with an explicit deny in an identity-based policy".to_owned(),
            (true, PolicyKind::Session) => "with an explicit deny in a session policy".to_owned(),
            (true, PolicyKind::ServiceControl) => {
                "with an explicit deny in a service control policy".to_owned()
            }
            (false, kind) => {
                let kind = match kind {
                    PolicyKind::Identity => "identity-based",
                    PolicyKind::Session => "session",
                    PolicyKind::ServiceControl => "service control",
                };
                format!("because no {kind} policy allows the {action} action")
            }
        };
        Failure::Denied(format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource} {why}"
        ))
    }
}

/// What the caller's policies say to an ask. `base` holds the condition keys that every ask of the call has.
pub(crate) fn verdict(call: &Call, base: &Context, ask: &Ask) -> Result<(), Denial> {
    let Grants::Policies { control, identity, session } = &call.caller.grants else { return Ok(()) };
    let partition = call.region.partition();
    let (arn, principal_arn) = (call.caller.arn(partition), call.caller.principal_arn(partition));
    let mut context = base.clone();
    for (key, values) in &ask.keys {
        context.insert(key, values.iter().map(String::as_str));
    }
    let request = Request {
        principal: Principal::from_arn(&arn).unwrap_or_else(Principal::anonymous).with_role(&principal_arn),
        action: &ask.action,
        resource: &ask.resource,
        context: &context,
    };
    let levels = control.iter().map(|level| (PolicyKind::ServiceControl, level));
    let layers: Vec<(PolicyKind, &Vec<CompiledPolicy>)> = levels
        .chain(identity.iter().map(|policies| (PolicyKind::Identity, policies)))
        .chain(session.iter().map(|policies| (PolicyKind::Session, policies)))
        .collect();
    let decided: Vec<_> = layers.iter().map(|(kind, policies)| (*kind, decide(policies, &request))).collect();
    let first = |wanted: Layer| decided.iter().find(|(_, layer)| *layer == wanted).map(|(kind, _)| *kind);
    let allows =
        |(kind, layer): &(PolicyKind, Layer)| *layer == Layer::Allows || *kind == PolicyKind::Identity;
    match (first(Layer::Denies), first(Layer::Silent)) {
        (Some(kind), _) => Err(Denial { kind, is_explicit: true, only_identity_lacks: false }),
        (None, Some(kind)) => {
            let only_identity_lacks = decided.iter().all(allows);
            Err(Denial { kind, is_explicit: false, only_identity_lacks })
        }
        (None, None) => Ok(()),
    }
}

/// What the policies of one layer say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Denies,
    Allows,
    Silent,
}

fn decide(policies: &[CompiledPolicy], request: &Request<'_>) -> Layer {
    let mut layer = Layer::Silent;
    for policy in policies {
        match policy.set().decide(request) {
            Decision::ExplicitDeny(_) => return Layer::Denies,
            Decision::Allow(_) => layer = Layer::Allows,
            Decision::ImplicitDeny => {}
        }
    }
    layer
}
