//! Rows for the unit tests of this crate.

use rampart_aws::{AccountId, Partition};
use uuid::Uuid;

use crate::associate::{Entities, Outcome, decide_associate};
use crate::catalog::Catalog;
use crate::ids::ShareId;
use crate::invitation::Offer;
use crate::resource::Resource;
use crate::resource_share::Contents;
use crate::{
    Association, AssociationKind, Change, Decision, Invitation, Principal, Refusal, ResourceShare,
    TimestampMs, Timing,
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
    }
}

pub(crate) fn entities<'a>(resources: &[&'a str], principals: &[&str]) -> Entities<'static, 'a> {
    let share = share();
    let resource =
        |arn: &&'a str| Resource::parse(Catalog::embedded(), arn, share.owner, share.region).unwrap();
    Entities {
        resources: resources.iter().map(resource).collect(),
        principals: principals.iter().map(|text| Principal::parse(text, Partition::Aws).unwrap()).collect(),
    }
}

/// A share with its rows, as a store would hold them.
pub(crate) struct World {
    pub(crate) share: ResourceShare,
    pub(crate) associations: Vec<Association>,
    pub(crate) invitations: Vec<Invitation>,
    next_id: u128,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(share())
    }

    pub(crate) fn of(share: ResourceShare) -> Self {
        Self { share, associations: Vec::new(), invitations: Vec::new(), next_id: 100 }
    }

    pub(crate) fn associate(
        &mut self,
        resources: &[&str],
        principals: &[&str],
        now: TimestampMs,
    ) -> Result<Vec<Outcome>, Refusal> {
        let existing = self.associations.clone();
        let first = self.next_id;
        let mut ids = || {
            self.next_id += 1;
            Uuid::from_u128(self.next_id)
        };
        let wanted = entities(resources, principals);
        let existing = existing
            .into_iter()
            .filter(|row| {
                resources.contains(&row.entity.as_str()) || principals.contains(&row.entity.as_str())
            })
            .collect();
        let decision = decide_associate(&self.share, &wanted, existing, now, &Timing::default(), &mut ids)?;
        assert!(self.next_id >= first);
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
                    self.invitations.retain(|row| row.id != invitation)
                }
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
        let entity = invitation.receiver_arn.as_deref().unwrap_or(invitation.receiver.as_str());
        Offer { association: self.principal(entity), share: self.share.clone(), invitation }
    }
}
