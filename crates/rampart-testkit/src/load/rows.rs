//! The rows that CreateResourceShare writes for a name and one resource, decided as the operation decides them.

use rampart_core::associate::{Entities, Ledger, decide_associate};
use rampart_core::catalog::Catalog;
use rampart_core::contents::Contents;
use rampart_core::resource::Resource;
use rampart_core::resource_share::Origin;
use rampart_core::{
    AccountId, Change, OwnerUsage, Quotas, Region, ResourceShare, ShareId, TimestampMs, Timing,
};
use rampart_server::Entropy;

use crate::server::REGION;

/// What they are called.
pub const SHARE_NAME: &str = "network";

/// The resource that an account's shares hold.
pub fn resource_arn(account: AccountId) -> String {
    format!("arn:aws:ec2:{REGION}:{account}:transit-gateway/tgw-0123456789abcdef0")
}

/// An account that makes one share after the other.
#[derive(Debug)]
pub struct Owner {
    account: AccountId,
    region: Region,
    resource_arn: String,
    usage: OwnerUsage,
}

impl Owner {
    /// One that has none yet.
    ///
    /// # Errors
    /// None that is to be expected.
    pub fn new(account: AccountId) -> anyhow::Result<Self> {
        Ok(Self::having(OwnerUsage::none(account, REGION.parse()?)))
    }

    /// One that has so much.
    pub fn having(usage: OwnerUsage) -> Self {
        let OwnerUsage { owner: account, region, .. } = usage;
        Self { account, region, resource_arn: resource_arn(account), usage }
    }

    /// The changes that the next share is.
    ///
    /// # Errors
    /// When the quota of shares is used up.
    pub fn create_share(&mut self, now: TimestampMs) -> anyhow::Result<Vec<Change>> {
        let entropy = Entropy::system();
        let share = ResourceShare {
            owner: self.account,
            region: self.region,
            id: ShareId(entropy.uuid()),
            name: SHARE_NAME.to_owned(),
            allow_external_principals: true,
            retain_sharing_on_account_leave_organization: false,
            tags: Vec::new(),
            created: now,
            updated: now,
            deleted: None,
            contents: Contents::default(),
            origin: Origin::Made,
        };
        let refused = |refusal| anyhow::anyhow!("the share is refused: {refusal:?}");
        let resource = Resource::parse(Catalog::embedded(), &self.resource_arn, self.account, self.region);
        let entities = Entities {
            resources: vec![resource.map_err(refused)?],
            principals: Vec::new(),
            sources: Vec::new(),
        };
        let usage = OwnerUsage { resource_shares: self.usage.resource_shares + 1, ..self.usage };
        let ledger = Ledger { usage, quotas: &Quotas::default(), timing: &Timing::default(), circle: None };
        let decision = decide_associate(&share, &entities, Vec::new(), ledger, now, &mut || entropy.uuid());
        let changes = decision.map_err(refused)?.changes;
        for change in &changes {
            if let Change::UsageStored(usage) = change {
                self.usage = *usage;
            }
        }
        Ok(changes)
    }
}
