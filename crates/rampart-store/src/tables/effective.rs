//! `association` as policies ask for it: what is effective, with no more of the rows than that needs.

use rampart_core::organization::Basis;
use rampart_core::{AccountId, AssociationId, AssociationKind, Region, ShareArn, ShareId, TimestampMs};
use serde::Deserialize;

use super::association::{AssociationCursor, number};
use crate::StoreError;
use crate::statement::{Row, Statement, Value};
use crate::store::Reader;

/// Shares that are there and hold a resource, the latest associations too: whether they are effective is asked of `since`.
static HOLDING: Statement = Statement::new(
    "association.holding",
    "SELECT a.owner, a.region, a.share_id, a.created_ms, a.association_id, a.since_ms, a.resource_type
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = 1 AND a.entity = $4
       AND (a.created_ms, a.association_id) > ($5, $6) AND a.standing = 1 AND s.deleted_ms IS NULL
     ORDER BY a.created_ms, a.association_id LIMIT $7",
);
/// Of a share that may have thousands of principals, what a policy needs of them and no more.
static EFFECTIVE: Statement = Statement::new(
    "association.effective",
    "SELECT entity, created_ms, association_id, receiver, member FROM association
     WHERE part = $1 AND share_id = $2 AND kind = $3 AND (created_ms, association_id) > ($4, $5)
       AND standing = 1 AND since_ms <= $6
     ORDER BY created_ms, association_id LIMIT $7",
);
pub(crate) static STATEMENTS: &[&Statement] = &[&HOLDING, &EFFECTIVE];

/// What is effective in a share, unless what it rests on is over.
#[derive(Clone, Debug)]
pub struct EffectiveEntity {
    /// The entity.
    pub entity: String,
    /// The place of its association.
    pub place: AssociationCursor,
    /// The account that sees the share by it.
    pub receiver: Option<AccountId>,
    /// The memberships that it rests on.
    pub basis: Option<Basis>,
}

/// A share that holds a resource.
#[derive(Clone, Debug)]
pub struct HoldingShare {
    /// The share.
    pub share: ShareArn,
    /// The type that the resource is of.
    pub resource_type: String,
    /// The place of the resource's association among those of the resource.
    pub place: AssociationCursor,
    /// Since when the resource is in it.
    pub since: TimestampMs,
}

impl Reader {
    /// A page of the owner's shares that hold `resource`, in the order in which it came into them.
    pub async fn shares_holding(
        &self,
        resource: &str,
        owner: AccountId,
        region: Region,
        after: AssociationCursor,
        limit: u32,
    ) -> Result<Vec<HoldingShare>, StoreError> {
        let values = [
            self.part_of(owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            resource.into(),
            after.created.into(),
            Value::from(&after.id.0),
            limit.into(),
        ];
        self.connection.query(&HOLDING, &values, read_holding).await
    }

    /// A page of the entities of one kind that are effective in a share since `settled` or earlier, oldest first.
    pub async fn effective_entities(
        &self,
        share: ShareArn,
        kind: AssociationKind,
        settled: TimestampMs,
        after: AssociationCursor,
        limit: u32,
    ) -> Result<Vec<EffectiveEntity>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::from(&share.id.0),
            Value::Int(number(kind)),
            after.created.into(),
            Value::from(&after.id.0),
            settled.into(),
            limit.into(),
        ];
        self.connection.query(&EFFECTIVE, &values, read_effective).await
    }
}

fn read_holding(row: &Row<'_>) -> Result<HoldingShare, StoreError> {
    let share = ShareArn { owner: row.parsed(0)?, region: row.parsed(1)?, id: ShareId(row.uuid(2)?) };
    let place = AssociationCursor { created: row.time(3)?, id: AssociationId(row.uuid(4)?) };
    Ok(HoldingShare { share, resource_type: row.text(6)?.to_owned(), place, since: row.time(5)? })
}

/// Of a member what is wanted here: to read all of it costs more than the row.
#[derive(Deserialize)]
struct Based {
    basis: Option<Basis>,
}

fn read_effective(row: &Row<'_>) -> Result<EffectiveEntity, StoreError> {
    // Most rest on nothing, and then the member does not name it.
    let basis = if row.text(4)?.contains("\"basis\"") { row.json::<Based>(4)?.basis } else { None };
    Ok(EffectiveEntity {
        entity: row.text(0)?.to_owned(),
        place: AssociationCursor { created: row.time(1)?, id: AssociationId(row.uuid(2)?) },
        receiver: row.opt_text(3)?.and_then(|receiver| receiver.parse().ok()),
        basis,
    })
}
