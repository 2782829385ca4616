//! Rows to write, and work that writes them.

use rampart_core::association::{Member, PrincipalKind, Standing};
use rampart_core::contents::Contents;
use rampart_core::resource_share::Origin;
use rampart_core::{AccountId, Association, AssociationId, Change, ResourceShare, ShareId, TimestampMs};
use rampart_store::{Abort, Transaction, Work};
use uuid::Uuid;

pub(crate) const OWNER: &str = "111111111111";

pub(crate) fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

pub(crate) fn share(owner: &str, id: u128) -> ResourceShare {
    ResourceShare {
        owner: account(owner),
        region: "eu-west-1".parse().unwrap(),
        id: ShareId(Uuid::from_u128(id)),
        name: format!("share {id}"),
        allow_external_principals: true,
        retain_sharing_on_account_leave_organization: false,
        tags: Vec::new(),
        created: TimestampMs(i64::try_from(id).unwrap()),
        updated: TimestampMs(0),
        deleted: None,
        contents: Contents::default(),
        origin: Origin::Made,
    }
}

pub(crate) fn principal(share: &ResourceShare, receiver: &str, standing: Standing) -> Association {
    Association {
        owner: share.owner,
        region: share.region,
        share: share.id,
        share_created: share.created,
        id: AssociationId(Uuid::from_u128(share.id.0.as_u128() ^ 1 << 100)),
        entity: receiver.to_owned(),
        member: Member::Principal {
            principal: PrincipalKind::Account,
            receiver: Some(receiver.to_owned()),
            external: true,
            basis: None,
        },
        created: share.created,
        standing,
    }
}

/// Writes changes as they are.
pub(crate) struct Apply(pub(crate) Vec<Change>);

impl Work for Apply {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, TimestampMs(1)).await?;
        Ok(())
    }
}
