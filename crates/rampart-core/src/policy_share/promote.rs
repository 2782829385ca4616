//! Promotion: of what RAM made of a policy to what its owner can use and change (reference §7.7, §10.32, §10.33).

use std::collections::BTreeMap;

use rampart_aws::timestamp::TimestampMs;
use rampart_policy::{Statement, Template, same_grants};
use uuid::Uuid;

use super::{alone, end_permission};
use crate::association::{Member, PrincipalKind};
use crate::catalog::{Catalog, ManagedPermission};
use crate::event::SharingEvent;
use crate::permission::customer::{FeatureSet, NewPermission, NewTemplate};
use crate::permission::{CustomerPermission, PermissionName, PermissionVersion};
use crate::refusal::{PermissionRefusal, PolicyRefusal};
use crate::resource_share::Origin;
use crate::timing::{Timing, after};
use crate::{Arn, Association, AssociationStatus, AttachedPermission, Change, Refusal, ResourceShare};

/// A managed permission that a share could have instead of the one that RAM made.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which.
    pub name: PermissionName,
    /// Tells it from a later one of its name; the catalog's have none.
    pub id: Option<Uuid>,
    /// Its default version.
    pub version: u32,
    /// What that allows.
    pub allowed: Vec<Statement>,
}

/// AWS's permissions for a type, as far as the catalog knows what their default versions allow, in its order.
pub fn managed_candidates(catalog: &Catalog, resource_type: &str) -> Vec<Candidate> {
    let of_type = catalog.permissions().iter().filter(|known| known.resource_type == resource_type);
    let candidate = |known: &ManagedPermission| {
        let version = known.default_version();
        let texts = known.templates(version)?;
        let allowed = texts.iter().map(|text| Template::parse(text).ok()?.render(&[], &BTreeMap::new()).ok());
        let allowed = allowed.collect::<Option<Vec<_>>>()?;
        Some(Candidate { name: PermissionName::Managed(known.name.clone()), id: None, version, allowed })
    };
    of_type.filter_map(candidate).collect()
}

/// A share that is to be promoted, with all that concerns it.
#[derive(Clone, Debug)]
pub struct Promotion<'a> {
    /// The share.
    pub share: &'a ResourceShare,
    /// The permission that it has, and its row.
    pub attached: (&'a AttachedPermission, &'a CustomerPermission),
    /// What that permission allows.
    pub allowed: &'a [Statement],
    /// Its principals.
    pub principals: &'a [Association],
}

/// The share, if it can be promoted now.
// AWS: what a standard share is answered with is not known; InvalidParameter is recommended (reference §7.7).
pub fn check_promotable(share: &ResourceShare, now: TimestampMs, timing: &Timing) -> Result<(), Refusal> {
    let arn = share.arn();
    match share.origin {
        _ if share.deleted.is_some() => Err(Refusal::ShareDeleted { share: arn }),
        Origin::Policy => Ok(()),
        Origin::Promoted { at } if now < after(at, timing.settle_delay_ms) => {
            Err(Refusal::SharePromoting { share: arn })
        }
        Origin::Promoted { .. } | Origin::Made => Err(Refusal::ShareNotFromPolicy { share: arn }),
    }
}

/// Makes a standard share of one that was made of a policy: with a managed permission that grants exactly the same, and
/// visible to its principals, who had access all the while and are not invited.
pub fn decide_promote_share(
    promotion: &Promotion<'_>,
    candidates: &[Candidate],
    now: TimestampMs,
    timing: &Timing,
) -> Result<Vec<Change>, Refusal> {
    let share = promotion.share;
    check_promotable(share, now, timing)?;
    let wanted = alone(promotion.allowed);
    let matching = candidates.iter().find(|candidate| same_grants(&wanted, &alone(&candidate.allowed)));
    let unmatched = || PolicyRefusal::Unmatched { share: share.arn().to_string() };
    let Candidate { name, id, version, .. } = matching.ok_or_else(unmatched)?;
    let (attached, permission) = promotion.attached;
    let mut changes = vec![
        Change::ShareStored(ResourceShare {
            origin: Origin::Promoted { at: now },
            updated: now,
            ..share.clone()
        }),
        Change::PermissionAttached(AttachedPermission {
            permission: name.clone(),
            permission_id: *id,
            version: *version,
            attached: now,
            ..attached.clone()
        }),
    ];
    changes.extend(end_permission(permission, now));
    for row in promotion.principals.iter().filter(|row| !row.has_ended(now)) {
        let seen = Association { member: seen_by_receiver(row), ..row.clone() };
        let settled = after(now, timing.settle_delay_ms);
        changes.push(Change::EventRecorded(SharingEvent::of_association(
            &seen,
            AssociationStatus::Associated,
            settled,
        )));
        changes.push(Change::AssociationStored(seen));
    }
    Ok(changes)
}

/// The account, the organization or the unit of a principal sees the share from now on.
fn seen_by_receiver(row: &Association) -> Member {
    let Member::Principal { principal, external, basis, .. } = row.member.clone() else {
        return row.member.clone();
    };
    let entity = &row.entity;
    let receiver = match principal {
        PrincipalKind::Service => None,
        PrincipalKind::Account => Some(entity.clone()),
        PrincipalKind::Identity => Arn::parse(entity).ok().map(|arn| arn.account().to_owned()),
        PrincipalKind::Organization | PrincipalKind::OrganizationalUnit => {
            entity.rsplit('/').next().map(str::to_owned)
        }
    };
    Member::Principal { principal, receiver, external, basis }
}

/// The permission that PromotePermissionCreatedFromPolicy makes: another one, with the same text. It is checked as any
/// that CreatePermission makes.
pub fn promoted_permission(
    permission: &CustomerPermission,
    version: &PermissionVersion,
    name: &str,
) -> Result<NewPermission, Refusal> {
    if permission.feature_set != FeatureSet::CreatedFromPolicy {
        return Err(PermissionRefusal::NotFromPolicy { name: permission.name.clone() }.into());
    }
    Ok(NewPermission {
        name: name.to_owned(),
        resource_type: permission.resource_type.clone(),
        template: NewTemplate { text: version.template.clone(), parameters: Vec::new() },
        tags: Vec::new(),
    })
}
