//! Managed permissions: what a share allows for one type of resource (reference §7).

use std::fmt;

use rampart_aws::timestamp::TimestampMs;
use rampart_aws::{AccountId, Arn, Partition, Region};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::catalog::{Catalog, ManagedPermission};
use crate::ids::{ShareArn, ShareId};
use crate::principal::shorten;

/// The ARN of a permission, as a caller writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PermissionArn {
    /// `arn:{partition}:ram::aws:permission/{name}`: the same in every Region.
    Managed {
        /// The name, which may be long.
        name: String,
    },
    /// `arn:{partition}:ram:{region}:{account}:permission/{name}`.
    Customer {
        /// Who made it.
        account: AccountId,
        /// Where.
        region: Region,
        /// 1–36 characters.
        name: String,
    },
}

impl PermissionArn {
    /// Reads the ARN of a permission in `partition`.
    // AWS: the forms are reference §1.1.
    pub fn parse(text: &str, partition: Partition) -> Result<Self, Refusal> {
        let malformed = || Refusal::PermissionArnMalformed { arn: shorten(text) };
        let arn = Arn::parse(text).map_err(|_| malformed())?;
        let name =
            arn.resource().strip_prefix("permission/").filter(|name| is_name(name)).ok_or_else(malformed)?;
        if arn.service() != "ram" || arn.partition() != partition.as_str() {
            return Err(malformed());
        }
        if arn.region().is_empty() && arn.account() == "aws" {
            return Ok(Self::Managed { name: name.to_owned() });
        }
        let (account, region) = (arn.account().parse(), arn.region().parse());
        let (Ok(account), Ok(region)) = (account, region) else { return Err(malformed()) };
        Ok(Self::Customer { account, region, name: name.to_owned() })
    }
}

impl PermissionArn {
    /// The name of AWS's permission; empty, which no permission is called, for any other's.
    pub fn into_managed_name(self) -> String {
        match self {
            Self::Managed { name } => name,
            Self::Customer { .. } => String::new(),
        }
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

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
    /// The version that was the default when it was attached. New defaults do not spread (reference §7.2).
    pub version: u32,
    /// When it was attached, or moved to this version.
    pub attached: TimestampMs,
}

/// Which permission is attached: AWS's, by its name. The partition follows from the share's Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PermissionName(pub String);

impl PermissionName {
    /// The ARN in a partition.
    pub fn arn(&self, partition: Partition) -> String {
        format!("arn:{}:ram::aws:permission/{}", partition.as_str(), self.0)
    }
}

impl fmt::Display for PermissionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AttachedPermission {
    /// The ARN of its share.
    pub fn share_arn(&self) -> ShareArn {
        ShareArn { owner: self.owner, region: self.region, id: self.share }
    }

    /// Attaches the default version of `permission` to a share.
    pub fn new(share: ShareArn, permission: &ManagedPermission, now: TimestampMs) -> Self {
        Self {
            owner: share.owner,
            region: share.region,
            share: share.id,
            resource_type: permission.resource_type.clone(),
            permission: PermissionName(permission.name.clone()),
            version: permission.default_version(),
            attached: now,
        }
    }
}

/// The permission of that ARN, if it is AWS's. Another account's is as unknown as one that does not exist.
pub fn find<'c>(
    catalog: &'c Catalog,
    text: &str,
    partition: Partition,
) -> Result<&'c ManagedPermission, Refusal> {
    let not_found = || Refusal::PermissionNotFound { arn: shorten(text) };
    match PermissionArn::parse(text, partition)? {
        PermissionArn::Managed { name } => catalog.permission_named(&name).ok_or_else(not_found),
        PermissionArn::Customer { .. } => Err(not_found()),
    }
}

/// What a share gets when `types` of resources come into it: the permissions that were `chosen`, and for every type
/// without one the type's default (reference §7.2).
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
            added.push(AttachedPermission::new(share, permission, now));
        }
    }
    added
}

/// The permissions that CreateResourceShare names: each known, and no two for one type.
pub fn choose(
    catalog: &Catalog,
    share: ShareArn,
    arns: &[String],
    now: TimestampMs,
) -> Result<Vec<AttachedPermission>, Refusal> {
    let mut chosen: Vec<AttachedPermission> = Vec::new();
    for arn in arns {
        let row = AttachedPermission::new(share, find(catalog, arn, share.region.partition())?, now);
        if chosen.iter().any(|other| other.resource_type == row.resource_type) {
            return Err(Refusal::PermissionTypeRepeated { resource_type: row.resource_type });
        }
        chosen.push(row);
    }
    Ok(chosen)
}

/// Attaches a permission to a share, or replaces the one of its type (reference §10.26). `holds_type` says whether the
/// share holds resources of the type; `version` is what the caller insists on. `None`: nothing changes.
pub fn decide_attach(
    share: ShareArn,
    attached: &[AttachedPermission],
    permission: &ManagedPermission,
    version: Option<i64>,
    replace: bool,
    holds_type: bool,
    now: TimestampMs,
) -> Result<Option<AttachedPermission>, Refusal> {
    if version.is_some_and(|version| version != i64::from(permission.default_version())) {
        return Err(Refusal::PermissionVersionNotDefault { permission: permission.name.clone() });
    }
    let row = AttachedPermission::new(share, permission, now);
    match attached.iter().find(|other| other.resource_type == row.resource_type) {
        Some(other) if other.permission == row.permission && other.version == row.version => Ok(None),
        Some(_) if !replace => Err(Refusal::PermissionOfTypeAttached { resource_type: row.resource_type }),
        None if holds_type && !replace => {
            Err(Refusal::PermissionOfTypeAttached { resource_type: row.resource_type })
        }
        _ => Ok(Some(row)),
    }
}

/// Takes a permission off a share, which must not hold resources of its type (reference §10.27).
pub fn decide_detach(
    attached: &[AttachedPermission],
    permission: &ManagedPermission,
    holds_type: bool,
) -> Result<AttachedPermission, Refusal> {
    let row = attached.iter().find(|row| row.permission.0 == permission.name);
    let row = row.ok_or(Refusal::PermissionNotAttached { permission: permission.name.clone() })?;
    if holds_type {
        return Err(Refusal::PermissionInUse { permission: permission.name.clone() });
    }
    Ok(row.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, share};

    const DEFAULT: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";

    fn catalog() -> &'static Catalog {
        Catalog::embedded()
    }

    #[test]
    fn a_permission_is_found_by_its_arn_in_its_partition() {
        let found = find(catalog(), DEFAULT, Partition::Aws).unwrap();
        assert_eq!((found.resource_type.as_str(), found.default_version()), ("ec2:TransitGateway", 1));
        assert!(matches!(
            find(catalog(), DEFAULT, Partition::AwsCn),
            Err(Refusal::PermissionArnMalformed { .. })
        ));
        for text in [
            "",
            "AWSRAMDefaultPermissionTransitGateway",
            "arn:aws:ram::aws:permission/",
            "arn:aws:iam::aws:policy/x",
        ] {
            assert!(
                matches!(find(catalog(), text, Partition::Aws), Err(Refusal::PermissionArnMalformed { .. })),
                "{text}"
            );
        }
        for text in
            ["arn:aws:ram::aws:permission/Nothing", "arn:aws:ram:eu-west-1:111111111111:permission/Own"]
        {
            assert!(
                matches!(find(catalog(), text, Partition::Aws), Err(Refusal::PermissionNotFound { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_type_without_a_permission_gets_its_default_once() {
        let rows = attach_missing(
            catalog(),
            share().arn(),
            &[],
            &["ec2:TransitGateway", "ec2:TransitGateway"],
            at(1),
        );
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].permission.arn(Partition::Aws), DEFAULT);
        let again =
            attach_missing(catalog(), share().arn(), &rows, &["ec2:TransitGateway", "ec2:PrefixList"], at(2));
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].resource_type, "ec2:PrefixList");
    }

    #[test]
    fn a_share_has_one_permission_for_a_type() {
        let twice = [DEFAULT.to_owned(), DEFAULT.to_owned()];
        let refused = choose(catalog(), share().arn(), &twice, at(1));
        assert!(matches!(refused, Err(Refusal::PermissionTypeRepeated { .. })));
    }

    #[test]
    fn another_permission_of_a_type_comes_by_replacement_alone() {
        let (arn, now) = (share().arn(), at(5));
        let gateway = find(catalog(), DEFAULT, Partition::Aws).unwrap();
        let mut old = AttachedPermission::new(arn, gateway, at(1));
        old.permission = PermissionName("Other".to_owned());
        let refused = decide_attach(arn, std::slice::from_ref(&old), gateway, None, false, true, now);
        assert!(matches!(refused, Err(Refusal::PermissionOfTypeAttached { .. })));
        let replaced = decide_attach(arn, &[old], gateway, None, true, true, now).unwrap().unwrap();
        assert_eq!((replaced.permission.0.as_str(), replaced.attached), (gateway.name.as_str(), now));
        // The same again changes nothing.
        assert_eq!(decide_attach(arn, &[replaced], gateway, Some(1), false, true, now), Ok(None));
        let refused = decide_attach(arn, &[], gateway, Some(2), false, false, now);
        assert!(matches!(refused, Err(Refusal::PermissionVersionNotDefault { .. })));
    }

    #[test]
    fn a_permission_whose_type_is_shared_cannot_be_taken_off() {
        let gateway = find(catalog(), DEFAULT, Partition::Aws).unwrap();
        let row = AttachedPermission::new(share().arn(), gateway, at(1));
        let attached = [row.clone()];
        assert!(matches!(decide_detach(&attached, gateway, true), Err(Refusal::PermissionInUse { .. })));
        assert_eq!(decide_detach(&attached, gateway, false), Ok(row));
        assert!(matches!(decide_detach(&[], gateway, false), Err(Refusal::PermissionNotAttached { .. })));
    }
}
