//! Managed permissions: what a share allows for one type of resource (reference §7).
//!
//! Here is how they are named and found; [`attach`] puts them into shares, [`replacement`] replaces them there,
//! [`customer`] makes and changes an account's own, and [`parameters`] fills their templates.

pub mod attach;
pub mod customer;
pub mod parameters;
pub mod replacement;

pub use attach::{Attachable, AttachedPermission};
pub use customer::{CustomerPermission, PermissionUsage, PermissionVersion};
use rampart_aws::{AccountId, Arn, Partition, Region};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::catalog::{Catalog, ManagedPermission};
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
    /// How a share of `owner` in `region` names this permission; `None` when it cannot have it.
    pub fn name_for(&self, owner: AccountId, home: Region) -> Option<PermissionName> {
        match self {
            Self::Managed { name } => Some(PermissionName::Managed(name.clone())),
            Self::Customer { account, region, name } if *account == owner && *region == home => {
                Some(PermissionName::Customer(name.clone()))
            }
            Self::Customer { .. } => None,
        }
    }

    /// Whether it is the permission of that row.
    pub fn is_of(&self, row: &AttachedPermission) -> bool {
        self.name_for(row.owner, row.region).as_ref() == Some(&row.permission)
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Whose permission a share has: AWS's, or one of the share's own owner and Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PermissionName {
    /// AWS's, or of the operator's catalog.
    Managed(String),
    /// The owner's.
    Customer(String),
}

/// Sets a customer's name apart in the store and in the log: no name holds a slash.
const CUSTOMER_PREFIX: &str = "customer/";

impl From<String> for PermissionName {
    fn from(text: String) -> Self {
        match text.strip_prefix(CUSTOMER_PREFIX) {
            Some(name) => Self::Customer(name.to_owned()),
            None => Self::Managed(text),
        }
    }
}

impl From<PermissionName> for String {
    fn from(name: PermissionName) -> Self {
        match name {
            PermissionName::Managed(name) => name,
            PermissionName::Customer(name) => format!("{CUSTOMER_PREFIX}{name}"),
        }
    }
}

impl PermissionName {
    /// The last part of the ARN.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Managed(name) | Self::Customer(name) => name,
        }
    }

    /// The ARN of a permission that `owner` has in `region`, or of AWS's there.
    pub fn arn(&self, owner: AccountId, region: Region) -> String {
        let partition = region.partition().as_str();
        match self {
            Self::Managed(name) => format!("arn:{partition}:ram::aws:permission/{name}"),
            Self::Customer(name) => format!("arn:{partition}:ram:{region}:{owner}:permission/{name}"),
        }
    }
}

/// The permission that `text` names to an account in a Region: one of the catalog, or one of its own, which the store
/// may have. Another account's and another Region's are as unknown as one that does not exist.
pub fn find<'c>(
    catalog: &'c Catalog,
    text: &str,
    caller: AccountId,
    home: Region,
) -> Result<Found<'c>, Refusal> {
    let not_found = || Refusal::PermissionNotFound { arn: shorten(text) };
    match PermissionArn::parse(text, home.partition())? {
        PermissionArn::Managed { name } => {
            catalog.permission_named(&name).map(Found::Managed).ok_or_else(not_found)
        }
        PermissionArn::Customer { account, region, name } if account == caller && region == home => {
            Ok(Found::Own(name))
        }
        PermissionArn::Customer { .. } => Err(not_found()),
    }
}

/// The owner and the name of another account's permission in this Region, if it is such an ARN.
pub fn find_shared(text: &str, caller: AccountId, home: Region) -> Option<(AccountId, String)> {
    match PermissionArn::parse(text, home.partition()).ok()? {
        PermissionArn::Customer { account, region, name } if account != caller && region == home => {
            Some((account, name))
        }
        _ => None,
    }
}

/// What an ARN names.
#[derive(Clone, Debug)]
pub enum Found<'c> {
    /// A permission of the catalog.
    Managed(&'c ManagedPermission),
    /// The name of one of the caller's own, if there is such a one.
    Own(String),
}

impl Found<'_> {
    /// How a share's row would name it.
    pub fn name(&self) -> PermissionName {
        match self {
            Self::Managed(permission) => PermissionName::Managed(permission.name.clone()),
            Self::Own(name) => PermissionName::Customer(name.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::share;

    const DEFAULT: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionTransitGateway";

    fn find_in(text: &str, home: &str) -> Result<PermissionName, Refusal> {
        find(Catalog::embedded(), text, share().owner, home.parse().unwrap()).map(|found| found.name())
    }

    #[test]
    fn a_permission_is_found_by_its_arn_in_its_partition() {
        let found = find_in(DEFAULT, "eu-west-1").unwrap();
        assert_eq!(found.arn(share().owner, share().region), DEFAULT);
        assert!(matches!(find_in(DEFAULT, "cn-north-1"), Err(Refusal::PermissionArnMalformed { .. })));
        for text in [
            "",
            "AWSRAMDefaultPermissionTransitGateway",
            "arn:aws:ram::aws:permission/",
            "arn:aws:iam::aws:policy/x",
        ] {
            let found = find_in(text, "eu-west-1");
            assert!(matches!(found, Err(Refusal::PermissionArnMalformed { .. })), "{text}");
        }
    }

    #[test]
    fn an_account_finds_its_own_permissions_and_no_other_account_s() {
        let own = format!("arn:aws:ram:eu-west-1:{}:permission/Own", share().owner);
        let found = find_in(&own, "eu-west-1").unwrap();
        assert_eq!(found, PermissionName::Customer("Own".to_owned()));
        assert_eq!(found.arn(share().owner, "eu-west-1".parse().unwrap()), own);
        assert!(matches!(find_in(&own, "eu-west-2"), Err(Refusal::PermissionNotFound { .. })));
        for text in
            ["arn:aws:ram::aws:permission/Nothing", "arn:aws:ram:eu-west-1:999999999999:permission/Own"]
        {
            assert!(matches!(find_in(text, "eu-west-1"), Err(Refusal::PermissionNotFound { .. })), "{text}");
        }
    }

    #[test]
    fn a_customer_s_name_is_told_from_aws_s_in_the_store() {
        for name in [PermissionName::Managed("A".to_owned()), PermissionName::Customer("A".to_owned())] {
            assert_eq!(PermissionName::from(String::from(name.clone())), name);
        }
    }
}
