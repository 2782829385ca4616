//! A resource that its owner wants to share: recognised, owned, and in the right Region.

use rampart_aws::{AccountId, Arn, Region};

use crate::Refusal;
use crate::catalog::{Catalog, RegionScope, ResourceType};
use crate::principal::shorten;

/// A resource of a shareable type that the caller owns.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'c, 'a> {
    /// Its ARN as the caller wrote it.
    pub arn: &'a str,
    /// Its type.
    pub resource_type: &'c ResourceType,
}

impl<'c, 'a> Resource<'c, 'a> {
    /// Recognises `arn` as a resource that `owner` may put into a share of `region`.
    // AWS: ownership is reference §4.6, Regions are §1.3 and the catalog's §5.
    pub fn parse(
        catalog: &'c Catalog,
        arn: &'a str,
        owner: AccountId,
        region: Region,
    ) -> Result<Self, Refusal> {
        let parsed = Arn::parse(arn).map_err(|_| Refusal::ResourceArnMalformed { arn: shorten(arn) })?;
        if parsed.partition() != region.partition().as_str() {
            return Err(Refusal::ResourceArnMalformed { arn: shorten(arn) });
        }
        let Some(resource_type) = catalog.type_of(&parsed) else {
            return Err(Refusal::ResourceTypeNotShareable { arn: shorten(arn) });
        };
        if parsed.account() != owner.as_str() {
            return Err(Refusal::ResourceNotOwned { arn: arn.to_owned(), caller: owner });
        }
        let home = region.partition().global_region();
        match (resource_type.region_scope, parsed.region()) {
            (RegionScope::Global, _) if region.as_str() != home => {
                Err(Refusal::GlobalResourceOutsideHomeRegion { arn: arn.to_owned(), home })
            }
            // A few regional types carry no Region in their ARN: it cannot be checked.
            (RegionScope::Regional, named) if !named.is_empty() && named != region.as_str() => {
                Err(Refusal::ResourceInOtherRegion { arn: arn.to_owned(), region })
            }
            _ => Ok(Self { arn, resource_type }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: &str = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
    const NETWORK: &str = "arn:aws:networkmanager::111111111111:core-network/core-network-0123456789abcdef0";

    fn parse(arn: &str, region: &str) -> Result<String, Refusal> {
        let (owner, region) = ("111111111111".parse().unwrap(), region.parse().unwrap());
        Resource::parse(Catalog::embedded(), arn, owner, region).map(|r| r.resource_type.name.clone())
    }

    #[test]
    fn an_owned_resource_of_the_region_is_recognised() {
        assert_eq!(parse(GATEWAY, "eu-west-1"), Ok("ec2:TransitGateway".into()));
    }

    #[test]
    fn a_resource_of_another_account_is_refused() {
        let foreign = GATEWAY.replace("111111111111", "222222222222");
        assert!(matches!(parse(&foreign, "eu-west-1"), Err(Refusal::ResourceNotOwned { .. })));
    }

    #[test]
    fn a_share_holds_resources_of_its_own_region() {
        assert!(matches!(parse(GATEWAY, "us-east-1"), Err(Refusal::ResourceInOtherRegion { .. })));
    }

    #[test]
    fn global_resources_belong_into_the_home_region() {
        assert_eq!(parse(NETWORK, "us-east-1"), Ok("networkmanager:CoreNetwork".into()));
        assert!(matches!(parse(NETWORK, "eu-west-1"), Err(Refusal::GlobalResourceOutsideHomeRegion { .. })));
    }

    #[test]
    fn malformed_and_unshareable_arns_differ() {
        assert!(matches!(parse("tgw-1", "eu-west-1"), Err(Refusal::ResourceArnMalformed { .. })));
        let china = GATEWAY.replace("arn:aws:", "arn:aws-cn:");
        assert!(matches!(parse(&china, "eu-west-1"), Err(Refusal::ResourceArnMalformed { .. })));
        let instance = GATEWAY.replace("transit-gateway/tgw-", "instance/i-");
        assert!(matches!(parse(&instance, "eu-west-1"), Err(Refusal::ResourceTypeNotShareable { .. })));
    }
}
