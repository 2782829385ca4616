//! What RAM makes of a resource's own policy: for each grant of the policy a share and a permission, CREATED_FROM_POLICY,
//! which their owner alone sees and nobody can change, until they are promoted or the policy goes (reference §7.7).
//!
//! [`read`] takes policies apart, into grants that permissions can say; here their rows are made and removed; [`promote`] makes standard ones of them.

mod gather;
mod inside;
pub mod promote;
pub mod read;

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Partition, Region};
use rampart_policy::{Document, Statement, Version, same_grants};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::associate::{Ledger, check_company, resource_member};
use crate::association::{Member, PrincipalKind, Standing};
use crate::contents::Contents;
use crate::ids::{AssociationId, ShareId};
use crate::limits::SHARE_NAME_CHARS_MAX;
use crate::organization::Circle;
use crate::permission::customer::{FeatureSet, VersionHead};
use crate::permission::{CustomerPermission, PermissionName, PermissionVersion};
use crate::resource::Resource;
use crate::resource_policy::{Grant, document};
use crate::resource_share::Origin;
use crate::source::SourceType;
use crate::{
    Association, AttachedPermission, Change, Decision, OwnerUsage, Principal, Refusal, ResourceShare,
};
use read::PolicyRead;

/// One row of `resource_policy`: the policy that a resource's owner put on it, and the shares that were made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcePolicy {
    /// The resource's owner.
    pub owner: AccountId,
    /// The Region of its shares.
    pub region: Region,
    /// Its ARN.
    pub resource: String,
    /// The text as it was given.
    pub policy: String,
    /// The shares that were made of it, also those that were promoted since.
    pub shares: Vec<ShareId>,
    /// When it was put.
    pub updated: TimestampMs,
}

/// What a policy gives to some principals: it becomes one share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyGrant {
    /// Actions and conditions, without principals and resources: what one permission allows.
    pub allowed: Vec<Statement>,
    /// To whom.
    pub principals: Vec<Principal>,
    /// From where requests of service principals may come.
    pub sources: Vec<String>,
}

impl PolicyGrant {
    /// As RAM puts it into a resource's policy.
    pub fn as_grant(&self) -> Grant<'_> {
        Grant { allowed: &self.allowed, principals: &self.principals, sources: &self.sources }
    }
}

/// A share that was made of a policy, with the permission that was made for it.
#[derive(Clone, Debug)]
pub struct PolicyShare {
    /// The share.
    pub share: ResourceShare,
    /// Its permission, until the share is promoted.
    pub permission: Option<CustomerPermission>,
    /// What it gives of the resource now; nothing if it is deleted or does not hold the resource any more.
    pub gives: Option<PolicyGrant>,
}

/// The policy that a resource has, with its shares.
#[derive(Clone, Debug)]
pub struct PolicyState {
    /// Its row.
    pub policy: ResourcePolicy,
    /// Its shares, as far as they are there.
    pub shares: Vec<PolicyShare>,
}

/// The policy that is to be put on a resource, taken apart.
#[derive(Clone, Debug)]
pub struct NewPolicy<'a> {
    /// The resource.
    pub resource: Resource<'a, 'a>,
    /// The text as it was given.
    pub text: &'a str,
    /// What it grants.
    pub read: &'a PolicyRead,
}

/// Puts a policy on a resource, in the place of the one that it has. Shares that still say what it says are kept.
/// Shares that were promoted are no longer the policy's, so they stay.
pub fn decide_put(
    new: &NewPolicy<'_>,
    home: (AccountId, Region),
    before: Option<&PolicyState>,
    ledger: &Ledger<'_>,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> Uuid,
) -> Result<Decision<ResourcePolicy>, Refusal> {
    let (owner, region) = home;
    let row = |shares| ResourcePolicy {
        owner,
        region,
        resource: new.resource.arn.to_owned(),
        policy: new.text.to_owned(),
        shares,
        updated: now,
    };
    check_paths(new, ledger.circle)?;
    if let Some(before) = before.filter(|before| before.says(new, region.partition())) {
        let row = row(before.policy.shares.clone());
        return Ok(Decision { changes: vec![Change::ResourcePolicyStored(row.clone())], reply: row });
    }
    let mut usage = ledger.usage;
    let mut changes = before.map(|before| end_all(before, &mut usage, now)).unwrap_or_default();
    let mut shares = Vec::new();
    let freed = usage;
    for grant in &new.read.grants {
        let made = make(new.resource, grant, home, ledger.circle, now, ids)?;
        check_company(&Contents::default(), &made.share.contents)?;
        let contents = (&Contents::default(), &made.share.contents);
        usage = OwnerUsage {
            resource_shares: usage.resource_shares.saturating_add(1),
            ..usage.moved(contents.0, contents.1)
        };
        usage.check_growth(&freed, contents, ledger.quotas)?;
        shares.push(made.share.id);
        changes.extend(made.into_changes());
    }
    usage.check_shares(ledger.quotas)?;
    let row = row(shares);
    changes.push(Change::ResourcePolicyStored(row.clone()));
    changes.push(Change::UsageStored(usage));
    Ok(Decision { changes, reply: row })
}

/// Refuses paths that no unit has: nobody is there.
fn check_paths(new: &NewPolicy<'_>, circle: Option<&Circle>) -> Result<(), Refusal> {
    let is_wrong = |path: &&String| !circle.is_some_and(|circle| circle.has_path(path));
    match new.read.unit_paths.iter().find(is_wrong) {
        None => Ok(()),
        Some(path) => {
            let unit = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            Err(Refusal::OrganizationalUnitNotFound { id: unit.to_owned() })
        }
    }
}

/// Takes a policy off its resource, and with it the shares and permissions that were made of it.
pub fn decide_remove(before: &PolicyState, usage: OwnerUsage, now: TimestampMs) -> Vec<Change> {
    let mut usage = usage;
    let mut changes = end_all(before, &mut usage, now);
    let ResourcePolicy { owner, region, resource, .. } = &before.policy;
    let resource = resource.clone();
    changes.push(Change::ResourcePolicyDropped { owner: *owner, region: *region, resource });
    changes.push(Change::UsageStored(usage));
    changes
}

impl PolicyState {
    /// Whether all shares of the policy are there and grant what the new one does. Promoted ones are their owner's to
    /// change or delete, so the policy's own text does not tell.
    fn says(&self, new: &NewPolicy<'_>, partition: Partition) -> bool {
        let gives: Vec<_> = self.shares.iter().filter_map(|share| share.gives.as_ref()).collect();
        let document = |grants: &mut dyn Iterator<Item = &PolicyGrant>| {
            document(new.resource.arn, partition, grants.map(PolicyGrant::as_grant))
        };
        let (now, wanted) = (document(&mut gives.iter().copied()), document(&mut new.read.grants.iter()));
        let same = now.zip(wanted).is_some_and(|(now, wanted)| same_grants(&now, &wanted));
        gives.len() == self.policy.shares.len() && same
    }
}

/// Ends the shares that are still the policy's.
fn end_all(before: &PolicyState, usage: &mut OwnerUsage, now: TimestampMs) -> Vec<Change> {
    let mut changes = Vec::new();
    for PolicyShare { share, permission, .. } in &before.shares {
        if share.origin != Origin::Policy || share.deleted.is_some() {
            continue;
        }
        *usage = OwnerUsage {
            resource_shares: usage.resource_shares.saturating_sub(1),
            ..usage.moved(&share.contents, &Contents::default())
        };
        changes.push(Change::ShareStored(ResourceShare {
            deleted: Some(now),
            updated: now,
            ..share.clone()
        }));
        changes.extend(permission.as_ref().and_then(|permission| end_permission(permission, now)));
    }
    changes
}

/// Ends a permission that RAM made, when its share has no more need of it.
fn end_permission(permission: &CustomerPermission, now: TimestampMs) -> Option<Change> {
    let is_rams = permission.feature_set == FeatureSet::CreatedFromPolicy && permission.deleted.is_none();
    let default = VersionHead { updated: now, ..permission.default.clone() };
    is_rams.then(|| {
        Change::PermissionStored(CustomerPermission { deleted: Some(now), default, ..permission.clone() })
    })
}

/// The rows of a new share.
struct Made {
    share: ResourceShare,
    associations: Vec<Association>,
    permission: CustomerPermission,
    version: PermissionVersion,
    attached: AttachedPermission,
}

impl Made {
    fn into_changes(self) -> Vec<Change> {
        let mut changes = vec![
            Change::ShareStored(self.share),
            Change::PermissionStored(self.permission),
            Change::PermissionVersionStored(self.version),
            Change::PermissionAttached(self.attached),
        ];
        changes.extend(self.associations.into_iter().map(Change::AssociationStored));
        changes
    }
}

// AWS: what RAM calls what it makes is not known (reference §1.1): the share has the resource's ARN for its name, the
// permission a random one.
fn make(
    resource: Resource<'_, '_>,
    grant: &PolicyGrant,
    home: (AccountId, Region),
    circle: Option<&Circle>,
    now: TimestampMs,
    ids: &mut dyn FnMut() -> Uuid,
) -> Result<Made, Refusal> {
    let (owner, region) = home;
    let mut share = ResourceShare {
        owner,
        region,
        id: ShareId(ids()),
        name: resource.arn.chars().take(SHARE_NAME_CHARS_MAX).collect(),
        allow_external_principals: true,
        retain_sharing_on_account_leave_organization: false,
        tags: Vec::new(),
        created: now,
        updated: now,
        deleted: None,
        contents: Contents::default(),
        origin: Origin::Policy,
    };
    let mut members = vec![(resource.arn.to_owned(), resource_member(resource.resource_type))];
    for principal in &grant.principals {
        members.push((principal.as_str().to_owned(), member_of(principal, owner, circle)?));
    }
    let sources = grant.sources.iter().filter_map(|text| {
        let source_type = SourceType::of(text).ok()?;
        Some((text.clone(), Member::Source { source_type }))
    });
    members.extend(sources);
    let associate = |(entity, member)| Association {
        owner,
        region,
        share: share.id,
        share_created: now,
        id: AssociationId(ids()),
        entity,
        member,
        created: now,
        standing: Standing::Granted { at: now, invitation: None },
    };
    let associations: Vec<_> = members.into_iter().map(associate).collect();
    for association in &associations {
        share.contents.add(association);
    }
    let id = ids();
    let name = format!("fp-{}", id.simple());
    let head = VersionHead { number: 1, parameters: Vec::new(), created: now, updated: now };
    let resource_type = resource.resource_type.name.clone();
    let permission = CustomerPermission {
        owner,
        region,
        name: name.clone(),
        id,
        resource_type: resource_type.clone(),
        feature_set: FeatureSet::CreatedFromPolicy,
        deprecated: false,
        default: head.clone(),
        latest: 1,
        versions: 1,
        tags: Vec::new(),
        created: now,
        deleted: None,
    };
    let template = read::text_of(&grant.allowed);
    let version = PermissionVersion { owner, region, name: name.clone(), head, template, deleted: None };
    let attached = AttachedPermission {
        owner,
        region,
        share: share.id,
        resource_type,
        permission: PermissionName::Customer(name),
        permission_id: Some(id),
        version: 1,
        parameters: Vec::new(),
        attached: now,
    };
    Ok(Made { share, associations, permission, version, attached })
}

/// A principal that nobody was told of: without a receiver, no other account sees the share by it.
fn member_of(principal: &Principal, owner: AccountId, circle: Option<&Circle>) -> Result<Member, Refusal> {
    let (kind, account) = match principal {
        Principal::Account(account) => (PrincipalKind::Account, Some(*account)),
        Principal::Identity { account, .. } => (PrincipalKind::Identity, Some(*account)),
        Principal::Service(_) => (PrincipalKind::Service, None),
        Principal::Organization { .. } => (PrincipalKind::Organization, None),
        Principal::OrganizationalUnit { .. } => (PrincipalKind::OrganizationalUnit, None),
    };
    let is_inside = |account| account == owner || circle.is_some_and(|circle| circle.has(account));
    let external = account.is_some_and(|account| !is_inside(account));
    // An account, role or user has what the policy grants whatever its organization is.
    let basis = Circle::basis_of_entity(circle, principal)?;
    Ok(Member::Principal { principal: kind, receiver: None, external, basis })
}

/// Statements as a document of their own, to be compared.
fn alone(statements: &[Statement]) -> Document {
    Document { version: Some(Version::V2012), id: None, statements: statements.to_vec() }
}
