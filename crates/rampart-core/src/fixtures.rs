//! Rows for the unit tests of this crate.

use rampart_aws::{AccountId, Partition};
use uuid::Uuid;

use crate::associate::{Entities, Ledger, Outcome, decide_associate};
use crate::catalog::Catalog;
use crate::contents::Contents;
use crate::ids::ShareId;
use crate::invitation::Offer;
use crate::organization::Circle;
use crate::quota::{OwnerUsage, Quotas};
use crate::resource::Resource;
use crate::source::SourceType;
use crate::{
    Association, AssociationKind, Change, Decision, Invitation, Principal, Refusal, ResourceShare,
    SharingEvent, TimestampMs, Timing,
};

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const CONSUMER: &str = "222222222222";
/// A type of the older generation: seven days to answer, and it can be left.
pub(crate) const GATEWAY: &str = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
/// A type of the newer generation: twelve hours, no leaving.
pub(crate) const COMPONENT: &str = "arn:aws:imagebuilder:eu-west-1:111111111111:component/tool/1.0.0/1";

pub(crate) fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

pub(crate) fn at(ms: i64) -> TimestampMs {
    TimestampMs(ms)
}

pub(crate) fn share() -> ResourceShare {
    ResourceShare {
        owner: account(OWNER),
        region: "eu-west-1".parse().unwrap(),
        id: ShareId(Uuid::from_u128(1)),
        name: "net".to_owned(),
        allow_external_principals: true,
        retain_sharing_on_account_leave_organization: false,
        tags: Vec::new(),
        created: at(0),
        updated: at(0),
        deleted: None,
        contents: Contents::default(),
        origin: crate::resource_share::Origin::Made,
    }
}

pub(crate) fn entities<'a>(resources: &[&'a str], principals: &[&str]) -> Entities<'static, 'a> {
    let share = share();
    let resource =
        |arn: &&'a str| Resource::parse(Catalog::embedded(), arn, share.owner, share.region).unwrap();
    Entities {
        resources: resources.iter().map(resource).collect(),
        principals: principals.iter().map(|text| Principal::parse(text, Partition::Aws).unwrap()).collect(),
        sources: Vec::new(),
    }
}

pub(crate) fn usage() -> OwnerUsage {
    OwnerUsage { resource_shares: 1, ..OwnerUsage::none(account(OWNER), share().region) }
}

/// A share with its rows, as a store would hold them.
pub(crate) struct World {
    pub(crate) usage: OwnerUsage,
    pub(crate) quotas: Quotas,
    pub(crate) events: Vec<SharingEvent>,
    pub(crate) share: ResourceShare,
    pub(crate) associations: Vec<Association>,
    pub(crate) invitations: Vec<Invitation>,
    pub(crate) circle: Option<Circle>,
    next_id: u128,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(share())
    }

    pub(crate) fn of(share: ResourceShare) -> Self {
        Self {
            usage: usage(),
            quotas: Quotas::default(),
            events: Vec::new(),
            share,
            associations: Vec::new(),
            invitations: Vec::new(),
            circle: None,
            next_id: 100,
        }
    }

    pub(crate) fn associate(
        &mut self,
        resources: &[&str],
        principals: &[&str],
        now: TimestampMs,
    ) -> Result<Vec<Outcome>, Refusal> {
        self.associate_with(resources, principals, &[], now)
    }

    pub(crate) fn associate_with(
        &mut self,
        resources: &[&str],
        principals: &[&str],
        sources: &[&str],
        now: TimestampMs,
    ) -> Result<Vec<Outcome>, Refusal> {
        let mut wanted = entities(resources, principals);
        wanted.sources = sources.iter().map(|text| (*text, SourceType::of(text).unwrap())).collect();
        let ledger = Ledger {
            usage: self.usage,
            quotas: &self.quotas,
            timing: &Timing::default(),
            circle: self.circle.as_ref(),
        };
        let next_id = &mut self.next_id;
        let mut ids = || {
            *next_id += 1;
            Uuid::from_u128(*next_id)
        };
        let decision =
            decide_associate(&self.share, &wanted, self.associations.clone(), ledger, now, &mut ids)?;
        Ok(self.apply(decision))
    }

    pub(crate) fn apply<T>(&mut self, decision: Decision<T>) -> T {
        for change in decision.changes {
            match change {
                Change::ShareStored(share) => self.share = share,
                Change::AssociationStored(row) => {
                    self.associations
                        .retain(|other| other.kind() != row.kind() || other.entity != row.entity);
                    self.associations.push(row);
                }
                Change::InvitationStored(row) => {
                    self.invitations.retain(|other| other.id != row.id);
                    self.invitations.push(row);
                }
                Change::InvitationDropped { invitation, .. } => {
                    self.invitations.retain(|row| row.id != invitation);
                }
                Change::UsageStored(usage) => self.usage = usage,
                Change::EventRecorded(event) => self.events.push(event),
                other => panic!("not a change of a share: {other:?}"),
            }
        }
        decision.reply
    }

    pub(crate) fn row(&self, kind: AssociationKind, entity: &str) -> Option<Association> {
        self.associations.iter().find(|row| row.kind() == kind && row.entity == entity).cloned()
    }

    pub(crate) fn principal(&self, entity: &str) -> Association {
        self.row(AssociationKind::Principal, entity).unwrap()
    }

    /// The offer of the newest invitation.
    pub(crate) fn offer(&self) -> Offer {
        let invitation = self.invitations.last().unwrap().clone();
        let associations =
            self.associations.iter().filter(|row| row.invitation() == Some(invitation.id)).cloned().collect();
        Offer { associations, share: self.share.clone(), usage: self.usage, invitation }
    }
}
