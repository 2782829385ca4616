//! The reference model: what AWS RAM and Organizations are, as plain vectors and rules in the order of the reference.
//!
//! It shares nothing with the product: no types, no store, no decisions. What time does, it does when time is moved; what
//! a call does to others, it does at once. Ids are labels as `<share-3>`, accounts are `<A>`, times are milliseconds since
//! the sequence began, so that what it answers can be read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::accounts::Creation;
use crate::handshake::Handshake;
use crate::invitation::Invitation;
use crate::lists::list_resource_types;
use crate::organization::Organization;
use crate::permission::Permission;
use crate::policy_shares::ResourcePolicy;
use crate::share::Share;
use crate::steps::has_no_arn;
use crate::tokens::Remembered;
use crate::works::Work;

pub(crate) const HOUR: i64 = 60 * 60 * 1000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A text that is no ARN.
pub(crate) const NO_ARN: &str = "nonsense";

/// The codes that a refused call may carry: of each rule that it breaks.
pub(crate) type Codes = BTreeSet<&'static str>;
/// The output of a call, or why there is none.
pub(crate) type Answer = Result<Value, Codes>;

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) now: i64,
    /// How long what was decided takes to take effect.
    pub(crate) settle: i64,
    pub(crate) shares: Vec<Share>,
    pub(crate) invitations: Vec<Invitation>,
    pub(crate) organizations: Vec<Organization>,
    pub(crate) handshakes: Vec<Handshake>,
    pub(crate) creations: Vec<Creation>,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) works: Vec<Work>,
    pub(crate) resource_policies: Vec<ResourcePolicy>,
    pub(crate) tokens: Vec<Remembered>,
    /// Whether memberships ended that background work has not tidied after: until it has, what rested on them is told
    /// to have ended now, so it must be before time passes.
    pub(crate) memberships_ended: bool,
}

/// Now, and how long things take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: i64,
    pub(crate) settle: i64,
}

impl Moment {
    /// Whether what was decided then has taken effect.
    pub(crate) fn is_settled(self, decided: i64) -> bool {
        decided + self.settle <= self.now
    }
}

/// Who calls from where; what the call makes is labelled with its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) number: usize,
}

pub(crate) fn refused(code: &'static str) -> Answer {
    Err(Codes::from([code]))
}

/// The answer, unless a rule is broken.
pub(crate) fn unless(broken: Codes, answer: Value) -> Answer {
    if broken.is_empty() { Ok(answer) } else { Err(broken) }
}

pub(crate) fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

/// The texts of a list, each once; none when it is absent.
pub(crate) fn texts(input: &Value, member: &str) -> Vec<String> {
    let items = input[member].as_array().into_iter().flatten();
    let texts: BTreeSet<_> = items.filter_map(Value::as_str).map(str::to_owned).collect();
    texts.into_iter().collect()
}

/// Whether a filter is absent or names `value`.
pub(crate) fn allows(input: &Value, member: &str, value: &str) -> bool {
    match &input[member] {
        Value::Null => true,
        Value::String(wanted) => wanted == value,
        _ => texts(input, member).iter().any(|wanted| wanted == value),
    }
}

impl World {
    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.now, settle: self.settle }
    }

    /// Time passes: invitations expire, and with them the principals that waited (reference §5.1).
    pub(crate) fn advance(&mut self, ms: i64) {
        self.now += ms;
        self.expire_invitations();
    }

    /// Background work is done.
    pub(crate) fn sweep(&mut self) {
        self.memberships_ended = false;
        self.finish_works();
    }

    /// What becomes of a call that was not made before.
    pub(crate) fn perform(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        if has_no_arn(input) {
            return refused("MalformedArn");
        }
        match operation {
            "CreateResourceShare" => self.create_resource_share(who, input),
            "AssociateResourceShare" => self.associate_resource_share(who, input),
            "DisassociateResourceShare" => self.disassociate_resource_share(who, input),
            "UpdateResourceShare" => self.update_resource_share(who, input),
            "DeleteResourceShare" => self.delete_resource_share(who, input),
            "AcceptResourceShareInvitation" => self.answer_invitation(who, input, true),
            "RejectResourceShareInvitation" => self.answer_invitation(who, input, false),
            "EnableSharingWithAwsOrganization" => self.enable_sharing(who),
            "GetResourceShares" => self.get_resource_shares(who, input),
            "GetResourceShareAssociations" => self.get_resource_share_associations(who, input),
            "GetResourceShareInvitations" => self.get_resource_share_invitations(who, input),
            "ListPendingInvitationResources" => self.list_pending_invitation_resources(who, input),
            "ListPrincipals" => self.list_principals(who, input),
            "ListResources" => self.list_resources(who, input),
            "ListResourceTypes" => Ok(list_resource_types(input)),
            "GetResourcePolicies" => self.get_resource_policies(who, input),
            "ListSourceAssociations" => self.list_source_associations(who, input),
            "TagResource" => self.tag(who, input, true),
            "UntagResource" => self.tag(who, input, false),
            "rampart:PutResourcePolicy" => self.put_resource_policy(who, input),
            "rampart:GetResourcePolicy" => self.get_resource_policy(who, input),
            "rampart:DeleteResourcePolicy" => self.delete_resource_policy(who, input),
            "PromoteResourceShareCreatedFromPolicy" => self.promote_share(who, input),
            _ if operation.contains("Permission") => self.call_permissions(who, operation, input),
            _ => self.call_organizations(who, operation, input),
        }
    }
}

/// `{"returnValue": true}`.
pub(crate) fn done() -> Value {
    json!({"returnValue": true})
}
