//! Permissions in shares: one for each type of resource, pinned to a version (reference §7.1, §7.2).

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Region};
use rampart_policy::Template;
use rampart_policy::template::ParameterError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PermissionName;
use super::customer::{CustomerPermission, FeatureSet, PermissionVersion};
use super::parameters::{Declaration, Parameter, Values, bind};
use crate::Refusal;
use crate::catalog::{Catalog, ManagedPermission};
use crate::ids::{ShareArn, ShareId};
use crate::refusal::PermissionRefusal;

/// One row of `share_permission`: a share has one permission for each type of resource, pinned to a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedPermission {
    /// The share's owner.
    pub owner: AccountId,
    /// The share's Region.
    pub region: Region,
    /// The share.
    pub share: ShareId,
    /// `service:Type`.
    pub resource_type: String,
    /// The permission.
    pub permission: PermissionName,
    /// Tells one of the owner's from a later one of its name; the catalog's have none, nor have rows of before ids were
    /// kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_id: Option<Uuid>,
    /// The version that was the default when it was attached. New defaults do not spread (reference §7.2).
    pub version: u32,
    /// The values of the version's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// When it was attached, or moved to this version.
    pub attached: TimestampMs,
}

impl AttachedPermission {
    /// The ARN of its share.
    pub fn share_arn(&self) -> ShareArn {
        ShareArn { owner: self.owner, region: self.region, id: self.share }
    }

    /// The ARN of the permission.
    pub fn permission_arn(&self) -> String {
        self.permission.arn(self.owner, self.region)
    }

    /// Whether it is of that permission of the owner's, and not of an earlier one of its name.
    pub fn is_of(&self, permission: &CustomerPermission) -> bool {
        let named = PermissionName::Customer(permission.name.clone());
        (self.owner, self.region, &self.permission) == (permission.owner, permission.region, &named)
            && self.permission_id.is_none_or(|id| id == permission.id)
    }

    /// Attaches the default version of one of the catalog's permissions.
    pub fn managed(share: ShareArn, permission: &ManagedPermission, now: TimestampMs) -> Self {
        Self {
            owner: share.owner,
            region: share.region,
            share: share.id,
            resource_type: permission.resource_type.clone(),
            permission: PermissionName::Managed(permission.name.clone()),
            permission_id: None,
            version: permission.default_version(),
            parameters: Vec::new(),
            attached: now,
        }
    }
}

/// A permission as it can be attached now: its default version.
#[derive(Clone, Debug)]
pub struct Attachable {
    name: PermissionName,
    resource_type: String,
    version: u32,
    /// Tells one of the owner's from a later one of its name.
    id: Option<Uuid>,
    /// The text and what it declares; the catalog's permissions declare nothing.
    template: Option<(String, Vec<Declaration>)>,
    /// Why it cannot be attached anew.
    refused: Option<PermissionRefusal>,
}

impl Attachable {
    /// One of the catalog's.
    pub fn managed(permission: &ManagedPermission) -> Self {
        Self {
            name: PermissionName::Managed(permission.name.clone()),
            resource_type: permission.resource_type.clone(),
            version: permission.default_version(),
            id: None,
            template: None,
            refused: None,
        }
    }

    /// The owner's, with its default version.
    // AWS: a deprecated permission gets no new associations (reference §3.5); one that was made of a policy must be
    // promoted first (reference §7.7).
    pub fn customer(permission: &CustomerPermission, version: &PermissionVersion) -> Self {
        let name = || permission.name.clone();
        let refused = match permission.feature_set {
            FeatureSet::CreatedFromPolicy => Some(PermissionRefusal::FromPolicy { name: name() }),
            FeatureSet::Standard if permission.deprecated => {
                Some(PermissionRefusal::Deprecated { name: name() })
            }
            FeatureSet::Standard => None,
        };
        Self {
            name: PermissionName::Customer(name()),
            resource_type: permission.resource_type.clone(),
            version: version.head.number,
            id: Some(permission.id),
            template: Some((version.template.clone(), version.head.parameters.clone())),
            refused,
        }
    }

    /// `service:Type`.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// How a share's row names it.
    pub fn name(&self) -> &PermissionName {
        &self.name
    }

    /// Tells one of the owner's permissions from a later one of its name; the catalog's have none.
    pub fn id(&self) -> Option<Uuid> {
        self.id
    }

    /// The default version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The values for its parameters, checked: all that are declared, and no other (reference §7.4).
    pub fn bind(&self, given: &Values) -> Result<Vec<Parameter>, Refusal> {
        let Some((text, declared)) = self.template.as_ref().filter(|(_, declared)| !declared.is_empty())
        else {
            return match given.keys().next() {
                None => Ok(Vec::new()),
                Some(name) => {
                    Err(PermissionRefusal::Parameters(ParameterError::Unknown(name.clone())).into())
                }
            };
        };
        let template = Template::parse(text).map_err(PermissionRefusal::Template)?;
        bind(&template, declared, given)
    }

    /// Refuses what gets no new associations.
    pub fn check_attachable(&self) -> Result<(), Refusal> {
        match &self.refused {
            None => Ok(()),
            Some(refused) => Err(refused.clone().into()),
        }
    }

    /// The row that attaches it.
    pub fn attach(
        &self,
        share: ShareArn,
        given: &Values,
        now: TimestampMs,
    ) -> Result<AttachedPermission, Refusal> {
        let row = AttachedPermission {
            owner: share.owner,
            region: share.region,
            share: share.id,
            resource_type: self.resource_type.clone(),
            permission: self.name.clone(),
            permission_id: self.id,
            version: self.version,
            parameters: self.bind(given)?,
            attached: now,
        };
        self.check_attachable()?;
        Ok(row)
    }
}

/// What a share gets when `types` of resources come into it: for every type without a permission the type's default
/// (reference §7.2).
pub fn attach_missing(
    catalog: &Catalog,
    share: ShareArn,
    attached: &[AttachedPermission],
    types: &[&str],
    now: TimestampMs,
) -> Vec<AttachedPermission> {
    let mut added: Vec<AttachedPermission> = Vec::new();
    for resource_type in types {
        let has = |row: &AttachedPermission| row.resource_type == *resource_type;
        if attached.iter().chain(&added).any(has) {
            continue;
        }
        // Of some types no permission is publicly known: nothing can be attached to them.
        if let Some(permission) = catalog.default_permission(resource_type) {
            added.push(AttachedPermission::managed(share, permission, now));
        }
    }
    added
}

/// The permissions that a new share begins with: no two for one type.
pub fn choose(
    share: ShareArn,
    chosen: &[(Attachable, Values)],
    now: TimestampMs,
) -> Result<Vec<AttachedPermission>, Refusal> {
    let mut rows: Vec<AttachedPermission> = Vec::new();
    for (permission, given) in chosen {
        let row = permission.attach(share, given, now)?;
        if rows.iter().any(|other| other.resource_type == row.resource_type) {
            return Err(Refusal::PermissionTypeRepeated { resource_type: row.resource_type });
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What the caller of AssociateResourceSharePermission wants.
#[derive(Clone, Debug, Default)]
pub struct Attach {
    /// The version that it insists on; only the default can be had.
    pub version: Option<i64>,
    /// Whether another permission of the type makes way.
    pub replace: bool,
    /// Values for the parameters.
    pub values: Values,
}

/// Attaches a permission to a share, or replaces the one of its type (reference §10.26). `holds_type` says whether the
/// share holds resources of the type. `None`: nothing changes.
pub fn decide_attach(
    share: ShareArn,
    attached: &[AttachedPermission],
    permission: &Attachable,
    wanted: &Attach,
    holds_type: bool,
    now: TimestampMs,
) -> Result<Option<AttachedPermission>, Refusal> {
    if wanted.version.is_some_and(|version| version != i64::from(permission.version)) {
        return Err(Refusal::PermissionVersionNotDefault { permission: permission.name.as_str().to_owned() });
    }
    let parameters = permission.bind(&wanted.values)?;
    let same = |row: &AttachedPermission| {
        row.permission == permission.name && row.version == permission.version && row.parameters == parameters
    };
    let resource_type = || permission.resource_type.clone();
    match attached.iter().find(|row| row.resource_type == permission.resource_type) {
        Some(row) if same(row) => Ok(None),
        Some(_) if !wanted.replace => {
            Err(Refusal::PermissionOfTypeAttached { resource_type: resource_type() })
        }
        None if holds_type && !wanted.replace => {
            Err(Refusal::PermissionOfTypeAttached { resource_type: resource_type() })
        }
        _ => permission.attach(share, &wanted.values, now).map(Some),
    }
}

/// Takes a permission off a share, which must not hold resources of its type (reference §10.27).
pub fn decide_detach(
    attached: &[AttachedPermission],
    permission: &PermissionName,
    holds_type: bool,
) -> Result<AttachedPermission, Refusal> {
    let row = attached.iter().find(|row| row.permission == *permission);
    let name = || permission.as_str().to_owned();
    let row = row.ok_or_else(|| Refusal::PermissionNotAttached { permission: name() })?;
    if holds_type {
        return Err(Refusal::PermissionInUse { permission: name() });
    }
    Ok(row.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, share};

    fn gateway() -> &'static ManagedPermission {
        Catalog::embedded().permission_named("AWSRAMDefaultPermissionTransitGateway").unwrap()
    }

    #[test]
    fn a_type_without_a_permission_gets_its_default_once() {
        let (catalog, arn) = (Catalog::embedded(), share().arn());
        let rows = attach_missing(catalog, arn, &[], &["ec2:TransitGateway", "ec2:TransitGateway"], at(1));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].permission, PermissionName::Managed(gateway().name.clone()));
        let again = attach_missing(catalog, arn, &rows, &["ec2:TransitGateway", "ec2:PrefixList"], at(2));
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].resource_type, "ec2:PrefixList");
    }

    #[test]
    fn a_share_has_one_permission_for_a_type() {
        let one = (Attachable::managed(gateway()), Values::new());
        let refused = choose(share().arn(), &[one.clone(), one], at(1));
        assert!(matches!(refused, Err(Refusal::PermissionTypeRepeated { .. })));
    }

    #[test]
    fn another_permission_of_a_type_comes_by_replacement_alone() {
        let (arn, now, gateway) = (share().arn(), at(5), Attachable::managed(gateway()));
        let mut old = gateway.attach(arn, &Values::new(), at(1)).unwrap();
        old.permission = PermissionName::Managed("Other".to_owned());
        let (plain, replace) = (Attach::default(), Attach { replace: true, ..Attach::default() });
        let refused = decide_attach(arn, std::slice::from_ref(&old), &gateway, &plain, true, now);
        assert!(matches!(refused, Err(Refusal::PermissionOfTypeAttached { .. })));
        let replaced = decide_attach(arn, &[old], &gateway, &replace, true, now).unwrap().unwrap();
        assert_eq!((&replaced.permission, replaced.attached), (gateway.name(), now));
        // The same again changes nothing.
        let default = Attach { version: Some(1), ..Attach::default() };
        assert_eq!(decide_attach(arn, &[replaced], &gateway, &default, true, now), Ok(None));
        let second = Attach { version: Some(2), ..Attach::default() };
        let refused = decide_attach(arn, &[], &gateway, &second, false, now);
        assert!(matches!(refused, Err(Refusal::PermissionVersionNotDefault { .. })));
    }

    #[test]
    fn a_permission_without_parameters_takes_no_values() {
        let values = Values::from([("vpc".to_owned(), vec!["v".to_owned()])]);
        let refused = Attachable::managed(gateway()).attach(share().arn(), &values, at(1));
        let expected = PermissionRefusal::Parameters(ParameterError::Unknown("vpc".to_owned()));
        assert_eq!(refused, Err(Refusal::Permission(expected)));
    }

    #[test]
    fn a_permission_whose_type_is_shared_cannot_be_taken_off() {
        let row = Attachable::managed(gateway()).attach(share().arn(), &Values::new(), at(1)).unwrap();
        let attached = [row.clone()];
        let name = &row.permission;
        assert!(matches!(decide_detach(&attached, name, true), Err(Refusal::PermissionInUse { .. })));
        assert_eq!(decide_detach(&attached, name, false), Ok(row.clone()));
        assert!(matches!(decide_detach(&[], name, false), Err(Refusal::PermissionNotAttached { .. })));
    }
}
