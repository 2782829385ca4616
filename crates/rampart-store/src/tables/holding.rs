//! `association` as it tells what shares hold: which hold an entity, and whether one holds a type.

use rampart_core::contents::Contents;
use rampart_core::{AccountId, Association, AssociationKind, Region, ShareArn, TimestampMs};

use super::association::{AssociationCursor, number, read_association};
use crate::StoreError;
use crate::statement::{Row, Statement, Value};
use crate::store::Reader;

/// Of shares that are there, with what else is in them.
static OF_ENTITY: Statement = Statement::new(
    "association.shares_of_entity",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.contents
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = $4 AND a.entity = $5
       AND (a.created_ms, a.association_id) > ($6, $7)
       AND (a.standing = 1 OR (a.standing = 0 AND a.deadline_ms > $8)) AND s.deleted_ms IS NULL
     ORDER BY a.created_ms, a.association_id LIMIT $9",
);
/// Resources alone have types.
static HOLDS_TYPE: Statement = Statement::new(
    "association.holds_type",
    "SELECT standing FROM association WHERE part = $1 AND share_id = $2 AND resource_type = $3 AND standing = 1 LIMIT 1",
);
pub(crate) static STATEMENTS: &[&Statement] = &[&OF_ENTITY, &HOLDS_TYPE];

/// An entity of a share that is there.
#[derive(Clone, Debug)]
pub struct HeldEntity {
    /// The row.
    pub association: Association,
    /// What is in the share.
    pub contents: Contents,
}

impl Reader {
    /// A page of the owner's shares that are there and in which an entity has not ended at `now`, in the order in which it
    /// came into them.
    #[expect(clippy::too_many_arguments, reason = "the page of a list is all of these")]
    pub async fn shares_of_entity(
        &self,
        kind: AssociationKind,
        entity: &str,
        owner: AccountId,
        region: Region,
        after: AssociationCursor,
        now: TimestampMs,
        limit: u32,
    ) -> Result<Vec<HeldEntity>, StoreError> {
        let values = [
            self.part_of(owner).into(),
            Value::Text(owner.as_str()),
            Value::Text(region.as_str()),
            Value::Int(number(kind)),
            entity.into(),
            after.created.into(),
            Value::from(&after.id.0),
            now.into(),
            limit.into(),
        ];
        self.connection.query(&OF_ENTITY, &values, read_held).await
    }

    /// Whether a share holds a resource of that type.
    pub async fn share_holds_type(&self, share: ShareArn, resource_type: &str) -> Result<bool, StoreError> {
        let values = [self.part_of(share.owner).into(), Value::from(&share.id.0), Value::Text(resource_type)];
        Ok(self.connection.query_opt(&HOLDS_TYPE, &values, |row| row.int(0)).await?.is_some())
    }
}

fn read_held(row: &Row<'_>) -> Result<HeldEntity, StoreError> {
    Ok(HeldEntity { association: read_association(row)?, contents: row.json(12)? })
}
