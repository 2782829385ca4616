//! How customer managed permissions are made, versioned, deprecated and deleted (reference §7.5, §7.6).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use rampart_policy::Template;
use serde::Serialize;
use uuid::Uuid;

use super::{CustomerPermission, FeatureSet, PermissionUsage, PermissionVersion, VersionHead};
use crate::catalog::{Catalog, ResourceType};
use crate::permission::parameters::{Declaration, check_declarations};
use crate::refusal::PermissionRefusal;
use crate::resource_share::{Tag, check_tags, merge_tags};
use crate::{Change, Decision, Quotas, Refusal};

/// A template and what it declares, as CreatePermission and CreatePermissionVersion take them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewTemplate {
    /// The text.
    pub text: String,
    /// Its parameters.
    pub parameters: Vec<Declaration>,
}

/// What CreatePermission is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewPermission {
    /// The name.
    pub name: String,
    /// `service:Type` in the catalog's spelling.
    pub resource_type: String,
    /// The first version.
    pub template: NewTemplate,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl NewPermission {
    /// It, if what needs no store stands not against it: with the catalog's spelling of the type and ordered tags.
    pub fn checked(self, catalog: &Catalog) -> Result<Self, Refusal> {
        check_permission_name(&self.name)?;
        let value = || self.resource_type.chars().take(64).collect();
        let known = catalog.type_named(&self.resource_type);
        let known = known.ok_or_else(|| Refusal::ResourceTypeInvalid { value: value() })?;
        if !known.supports_customer_managed_permissions {
            let resource_type = known.name.clone();
            return Err(PermissionRefusal::CustomerManagedUnsupported { resource_type }.into());
        }
        check_template(catalog, known, &self.template)?;
        Ok(Self { resource_type: known.name.clone(), tags: check_tags(self.tags)?, ..self })
    }
}

/// Refuses what is not a name: 1–36 letters, digits and `_.-` (reference §7.6).
pub fn check_permission_name(name: &str) -> Result<(), Refusal> {
    let fits = (1..=36).contains(&name.chars().count()) && crate::permission::is_name(name);
    if fits {
        Ok(())
    } else {
        Err(PermissionRefusal::NameInvalid { name: name.chars().take(64).collect() }.into())
    }
}

/// Checks a template for a type: its grammar, its parameters, and that the type has its actions.
pub fn check_template(
    catalog: &Catalog,
    resource_type: &ResourceType,
    new: &NewTemplate,
) -> Result<(), Refusal> {
    let template = Template::parse(&new.text).map_err(PermissionRefusal::Template)?;
    check_declarations(&template, &new.parameters)?;
    match template.actions().iter().find(|action| !catalog.supports_action(resource_type, action)) {
        None => Ok(()),
        Some(action) => Err(PermissionRefusal::ActionUnsupported {
            action: action.clone(),
            resource_type: resource_type.name.clone(),
        }
        .into()),
    }
}

/// How much of the quotas is used: of all types, and of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of all types.
    pub all: PermissionUsage,
    /// Of the permission's type.
    pub of_type: PermissionUsage,
}

impl Usage {
    /// One more, if the quotas allow it (reference §7.6).
    fn grow(self, quotas: &Quotas) -> Result<[Change; 2], Refusal> {
        let limits = [
            ("customer managed permissions", self.all.permissions, quotas.customer_permissions),
            (
                "customer managed permissions of one resource type",
                self.of_type.permissions,
                quotas.customer_permissions_per_type,
            ),
        ];
        for (quota, used, limit) in limits {
            if used >= limit {
                return Err(PermissionRefusal::QuotaExceeded { quota, limit }.into());
            }
        }
        Ok(self.shift(|used| used.saturating_add(1)))
    }

    /// One less.
    fn shrink(self) -> [Change; 2] {
        self.shift(|used| used.saturating_sub(1))
    }

    fn shift(self, step: impl Fn(u32) -> u32) -> [Change; 2] {
        [self.all, self.of_type].map(|usage| {
            Change::PermissionUsageStored(PermissionUsage { permissions: step(usage.permissions), ..usage })
        })
    }
}

/// A permission with the version that was asked about.
pub type WithVersion = (CustomerPermission, PermissionVersion);

/// Makes a permission (reference §10.20). `existing` is the row of that name, which may be a deleted one.
pub fn decide_create(
    new: &NewPermission,
    owner: (AccountId, Region),
    id: Uuid,
    existing: Option<&CustomerPermission>,
    usage: Usage,
    quotas: &Quotas,
    now: TimestampMs,
) -> Result<Decision<WithVersion>, Refusal> {
    if existing.is_some_and(|other| other.deleted.is_none()) {
        return Err(PermissionRefusal::Exists { name: new.name.clone() }.into());
    }
    let (owner, region) = owner;
    let head =
        VersionHead { number: 1, parameters: new.template.parameters.clone(), created: now, updated: now };
    let permission = CustomerPermission {
        owner,
        region,
        name: new.name.clone(),
        id,
        resource_type: new.resource_type.clone(),
        feature_set: FeatureSet::Standard,
        deprecated: false,
        default: head.clone(),
        latest: 1,
        versions: 1,
        tags: new.tags.clone(),
        created: now,
        deleted: None,
    };
    let version = version_of(&permission, head, &new.template);
    // AWS: a name is free again once its permission is deleted; what is shown of that goes (reference §7.5).
    let mut changes: Vec<_> = existing.map(purge).into_iter().collect();
    changes.push(Change::PermissionStored(permission.clone()));
    changes.push(Change::PermissionVersionStored(version.clone()));
    changes.extend(usage.grow(quotas)?);
    Ok(Decision { changes, reply: (permission, version) })
}

/// The removal of a permission with all its versions.
pub fn purge(permission: &CustomerPermission) -> Change {
    let CustomerPermission { owner, region, name, .. } = permission;
    Change::PermissionPurged { owner: *owner, region: *region, name: name.clone() }
}

fn version_of(
    permission: &CustomerPermission,
    head: VersionHead,
    template: &NewTemplate,
) -> PermissionVersion {
    let CustomerPermission { owner, region, name, .. } = permission;
    let template = template.text.clone();
    PermissionVersion { owner: *owner, region: *region, name: name.clone(), head, template, deleted: None }
}

/// Makes a version and the default of it (reference §7.5). `default` is the default until now.
pub fn decide_create_version(
    permission: &CustomerPermission,
    default: &PermissionVersion,
    template: &NewTemplate,
    quotas: &Quotas,
    now: TimestampMs,
) -> Result<Decision<WithVersion>, Refusal> {
    permission.check_changeable()?;
    let limit = quotas.versions_per_permission;
    if permission.versions >= limit {
        return Err(PermissionRefusal::TooManyVersions { limit }.into());
    }
    let number = permission.latest.saturating_add(1);
    let head = VersionHead { number, parameters: template.parameters.clone(), created: now, updated: now };
    let version = version_of(permission, head.clone(), template);
    let permission = CustomerPermission {
        default: head,
        latest: number,
        versions: permission.versions.saturating_add(1),
        ..permission.clone()
    };
    let changes = vec![
        Change::PermissionStored(permission.clone()),
        Change::PermissionVersionStored(touched(default, now)),
        Change::PermissionVersionStored(version.clone()),
    ];
    Ok(Decision { changes, reply: (permission, version) })
}

/// A version whose status changed now.
fn touched(version: &PermissionVersion, now: TimestampMs) -> PermissionVersion {
    let head = VersionHead { updated: now, ..version.head.clone() };
    PermissionVersion { head, ..version.clone() }
}

/// Moves the default to another version (reference §10.22). `version` is the one asked for, `default` the present one.
pub fn decide_set_default(
    permission: &CustomerPermission,
    default: &PermissionVersion,
    version: Option<&PermissionVersion>,
    number: i64,
    now: TimestampMs,
) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    let version = live_version(permission, version, number)?;
    if version.head.number == permission.default.number {
        return Ok(Vec::new());
    }
    let version = touched(version, now);
    let permission = CustomerPermission { default: version.head.clone(), ..permission.clone() };
    Ok(vec![
        Change::PermissionStored(permission),
        Change::PermissionVersionStored(touched(default, now)),
        Change::PermissionVersionStored(version),
    ])
}

fn live_version<'a>(
    permission: &CustomerPermission,
    version: Option<&'a PermissionVersion>,
    number: i64,
) -> Result<&'a PermissionVersion, Refusal> {
    let not_found =
        || Refusal::PermissionVersionNotFound { permission: permission.name.clone(), version: number };
    version.filter(|version| version.deleted.is_none()).ok_or_else(not_found)
}

/// Deletes a version that is neither the default nor attached (reference §7.5).
pub fn decide_delete_version(
    permission: &CustomerPermission,
    version: Option<&PermissionVersion>,
    number: i64,
    attached: bool,
    now: TimestampMs,
) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    let version = live_version(permission, version, number)?;
    let number = version.head.number;
    // The only version is the default.
    if number == permission.default.number {
        return Err(PermissionRefusal::VersionIsDefault { version: number }.into());
    }
    if attached {
        return Err(PermissionRefusal::VersionAttached { version: number }.into());
    }
    let versions = permission.versions.saturating_sub(1);
    let deleted = PermissionVersion { deleted: Some(now), ..touched(version, now) };
    Ok(vec![
        Change::PermissionStored(CustomerPermission { versions, ..permission.clone() }),
        Change::PermissionVersionStored(deleted),
    ])
}

/// Deletes a permission that no share has (reference §7.5).
pub fn decide_delete(
    permission: &CustomerPermission,
    attached: bool,
    usage: Usage,
    now: TimestampMs,
) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    if attached {
        return Err(PermissionRefusal::Attached { name: permission.name.clone() }.into());
    }
    let default = VersionHead { updated: now, ..permission.default.clone() };
    let deleted = CustomerPermission { deleted: Some(now), default, ..permission.clone() };
    let mut changes = vec![Change::PermissionStored(deleted)];
    if !permission.deprecated {
        changes.extend(usage.shrink());
    }
    Ok(changes)
}

/// Deprecates a permission, or takes that back (reference §10.25). A deprecated one counts against no quota.
pub fn decide_update(
    permission: &CustomerPermission,
    deprecated: bool,
    usage: Usage,
    quotas: &Quotas,
    now: TimestampMs,
) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    // AWS: setting the status that it has is recommended to succeed (reference §10.25).
    if permission.deprecated == deprecated {
        return Ok(Vec::new());
    }
    let counted = if deprecated { usage.shrink() } else { usage.grow(quotas)? };
    let default = VersionHead { updated: now, ..permission.default.clone() };
    let changed = CustomerPermission { deprecated, default, ..permission.clone() };
    Ok(std::iter::once(Change::PermissionStored(changed)).chain(counted).collect())
}

/// Adds tags, or gives tags of the same keys new values (reference §10.34).
pub fn decide_tag(permission: &CustomerPermission, tags: Vec<Tag>) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    let (tags, _) = merge_tags(&permission.tags, tags)?;
    Ok(vec![Change::PermissionStored(CustomerPermission { tags, ..permission.clone() })])
}

/// Removes the tags of these keys; a key that is not there is no error (reference §10.35).
pub fn decide_untag(permission: &CustomerPermission, keys: &[String]) -> Result<Vec<Change>, Refusal> {
    permission.check_changeable()?;
    let tags: Vec<_> = permission.tags.iter().filter(|tag| !keys.contains(&tag.key)).cloned().collect();
    if tags.len() == permission.tags.len() {
        return Ok(Vec::new());
    }
    Ok(vec![Change::PermissionStored(CustomerPermission { tags, ..permission.clone() })])
}
