//! `association`: what is in a share, walked by share, by owner or by entity.

use futures_util::future::try_join;
use rampart_core::association::Standing;
use rampart_core::{
    AccountId, Association, AssociationId, AssociationKind, InvitationId, Region, ShareArn, ShareId,
    TimestampMs, Timing,
};
use uuid::Uuid;

use super::standing;
use crate::statement::{Row, Statement, Value, corrupt, to_json};
use crate::store::Reader;
use crate::{StoreError, Transaction};

/// The end of the key is compared as a row, which the key's own index serves alone: of an entity in thousands of shares
/// PostgreSQL, which takes it for one in few, would else read them all to find one.
static LOAD: Statement = Statement::new(
    "association.load",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id
     FROM association
     WHERE part = $1 AND owner = $2 AND region = $3
       AND (share_id, kind, entity) >= ($4, $5, $6) AND (share_id, kind, entity) <= ($4, $5, $6)",
);
/// In all lists: rows that ended, or whose invitation expired, too long ago are no longer shown. The share of these is
/// known: it is read once beside them, not joined to each.
static OF_SHARE: Statement = Statement::new(
    "association.of_share",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id
     FROM association
     WHERE part = $1 AND share_id = $2 AND kind = $3 AND (created_ms, association_id) > ($4, $5)
       AND (standing = 1 OR (standing = 0 AND deadline_ms > $6) OR (standing = 2 AND since_ms > $6))
     ORDER BY created_ms, association_id LIMIT $7",
);
static SHARE_OF: Statement = Statement::new(
    "association.share_of",
    "SELECT name, deleted_ms FROM resource_share
     WHERE part = $1 AND share_id = $2 AND (deleted_ms IS NULL OR deleted_ms > $3)",
);
static OF_OWNER: Statement = Statement::new(
    "association.of_owner",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = $4
       AND (a.created_ms, a.association_id) > ($5, $6)
       AND (a.standing = 1 OR (a.standing = 0 AND a.deadline_ms > $7) OR (a.standing = 2 AND a.since_ms > $7))
       AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)
     ORDER BY a.created_ms, a.association_id LIMIT $9",
);
static OF_ENTITY: Statement = Statement::new(
    "association.of_entity",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.kind = $4 AND a.entity = $5
       AND (a.created_ms, a.association_id) > ($6, $7)
       AND (a.standing = 1 OR (a.standing = 0 AND a.deadline_ms > $8) OR (a.standing = 2 AND a.since_ms > $8))
       AND (s.deleted_ms IS NULL OR s.deleted_ms > $9)
     ORDER BY a.created_ms, a.association_id LIMIT $10",
);
/// At most one row, found as above. Whether it is after a place is not asked here, lest an index in that order be used.
static OF_ENTITY_IN_SHARE: Statement = Statement::new(
    "association.of_entity_in_share",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3
       AND (a.share_id, a.kind, a.entity) >= ($4, $5, $6) AND (a.share_id, a.kind, a.entity) <= ($4, $5, $6)
       AND (a.standing = 1 OR (a.standing = 0 AND a.deadline_ms > $7) OR (a.standing = 2 AND a.since_ms > $7))
       AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)",
);
static OF_TYPE: Statement = Statement::new(
    "association.of_type",
    "SELECT a.owner, a.region, a.share_id, a.share_created_ms, a.association_id, a.entity, a.member, a.created_ms,
            a.standing, a.since_ms, a.deadline_ms, a.invitation_id, s.name, s.deleted_ms
     FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.part = $1 AND a.owner = $2 AND a.region = $3 AND a.resource_type = $4
       AND (a.created_ms, a.association_id) > ($5, $6)
       AND (a.standing = 1 OR (a.standing = 2 AND a.since_ms > $7)) AND (s.deleted_ms IS NULL OR s.deleted_ms > $8)
     ORDER BY a.created_ms, a.association_id LIMIT $9",
);
/// As many as a share has principals of one receiver: the share's quota bounds them.
static OF_RECEIVER: Statement = Statement::new(
    "association.of_receiver",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id
     FROM association WHERE part = $1 AND share_id = $2 AND receiver = $3",
);
static STORE: Statement = Statement::new(
    "association.store",
    "INSERT INTO association (part, owner, region, share_id, kind, entity, association_id, share_created_ms, created_ms,
                              standing, since_ms, deadline_ms, invitation_id, receiver, resource_type, member)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     ON CONFLICT (part, owner, region, share_id, kind, entity)
     DO UPDATE SET association_id = excluded.association_id, created_ms = excluded.created_ms,
        standing = excluded.standing, since_ms = excluded.since_ms, deadline_ms = excluded.deadline_ms,
        invitation_id = excluded.invitation_id, receiver = excluded.receiver, resource_type = excluded.resource_type, member = excluded.member",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD,
    &OF_SHARE,
    &SHARE_OF,
    &OF_OWNER,
    &OF_ENTITY,
    &OF_ENTITY_IN_SHARE,
    &OF_TYPE,
    &OF_RECEIVER,
    &STORE,
];

/// How `standing` is stored. The lists above spell these numbers out.
const INVITED: i64 = 0;
const GRANTED: i64 = 1;
const ENDED: i64 = 2;

/// After which association a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssociationCursor {
    /// Creation time of the last one seen.
    pub created: TimestampMs,
    /// Its id.
    pub id: AssociationId,
}

impl AssociationCursor {
    /// Before the first.
    pub const START: Self = Self { created: TimestampMs(i64::MIN), id: AssociationId(Uuid::nil()) };

    /// After `association`.
    pub fn after(association: &Association) -> Self {
        Self { created: association.created, id: association.id }
    }
}

/// Which of an owner's associations are walked, each kind along an index of its own.
#[derive(Clone, Copy, Debug)]
pub enum AssociationScope<'a> {
    /// Those of one share.
    Share(ShareArn),
    /// All in a Region.
    Owner,
    /// Those of one principal or resource, over all shares.
    Entity(&'a str),
    /// That of one principal or resource in one share.
    EntityInShare(ShareArn, &'a str),
    /// The resources of one type.
    ResourceType(&'a str),
    /// Those that wait for an answer, or waited in vain: of a share, or of all.
    Invited(Option<ShareArn>),
    /// Those that were ended: of a share, or of all.
    Ended(Option<ShareArn>),
}

/// An association with what a list tells of its share.
#[derive(Clone, Debug)]
pub struct AssociationInShare {
    /// The row.
    pub association: Association,
    /// The share's name now.
    pub share_name: String,
    /// When the share was deleted, if it was.
    pub share_deleted: Option<TimestampMs>,
}

impl Reader {
    /// The row for one entity of one share, in whatever standing.
    pub async fn association(
        &self,
        share: ShareArn,
        kind: AssociationKind,
        entity: &str,
    ) -> Result<Option<Association>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            Value::Int(number(kind)),
            Value::Text(entity),
        ];
        self.connection.query_opt(&LOAD, &values, read_association).await
    }

    /// The rows of a share by which `receiver` (an account, an organization or a unit) sees it, in whatever standing.
    pub async fn associations_of_receiver(
        &self,
        share: ShareArn,
        receiver: &str,
    ) -> Result<Vec<Association>, StoreError> {
        let values = [self.part_of(share.owner).into(), Value::from(&share.id.0), Value::Text(receiver)];
        self.connection.query(&OF_RECEIVER, &values, read_association).await
    }

    /// A page of the associations of one kind in `scope`, oldest first.
    #[expect(clippy::too_many_arguments, reason = "the page of a list is all of these")]
    pub async fn associations(
        &self,
        scope: AssociationScope<'_>,
        owner: AccountId,
        region: Region,
        kind: AssociationKind,
        after: AssociationCursor,
        now: TimestampMs,
        timing: &Timing,
        limit: u32,
    ) -> Result<Vec<AssociationInShare>, StoreError> {
        let part = self.part_of(owner);
        let (who, home, kind) =
            (Value::Text(owner.as_str()), Value::Text(region.as_str()), Value::Int(number(kind)));
        let (created, id) = (Value::from(after.created), Value::from(&after.id.0));
        let ended_since = now.saturating_sub_ms(timing.ended_association_visible_ms);
        // With its share an association ended too: it is shown no longer than either.
        let deleted_since = now.saturating_sub_ms(timing.deleted_share_visible_ms).max(ended_since);
        let (ended_since, deleted_since) = (Value::from(ended_since), Value::from(deleted_since));
        let connection = &self.connection;
        let of_share = async |statement, share: ShareArn| {
            let (id_of_share, limit) = (Value::from(&share.id.0), limit.into());
            let values = [part.into(), id_of_share, kind, created, id, ended_since, deleted_since, limit];
            connection.query(statement, &values, read_in_share).await
        };
        let of_owner = async |statement| {
            let limit = limit.into();
            let values = [part.into(), who, home, kind, created, id, ended_since, deleted_since, limit];
            connection.query(statement, &values, read_in_share).await
        };
        match scope {
            AssociationScope::Share(share) => {
                let id_of_share = Value::from(&share.id.0);
                let values = [part.into(), id_of_share, kind, created, id, ended_since, limit.into()];
                let rows = connection.query(&OF_SHARE, &values, read_association);
                let values = [part.into(), id_of_share, deleted_since];
                let share = connection.query_opt(&SHARE_OF, &values, read_share_of);
                Ok(match try_join(rows, share).await? {
                    (_, None) => Vec::new(),
                    (rows, Some(share)) => {
                        rows.into_iter().map(|association| share.of(association)).collect()
                    }
                })
            }
            AssociationScope::Invited(Some(share)) => of_share(&standing::INVITED_OF_SHARE, share).await,
            AssociationScope::Ended(Some(share)) => of_share(&standing::ENDED_OF_SHARE, share).await,
            AssociationScope::Owner => of_owner(&OF_OWNER).await,
            AssociationScope::Invited(None) => of_owner(&standing::INVITED_OF_OWNER).await,
            AssociationScope::Ended(None) => of_owner(&standing::ENDED_OF_OWNER).await,
            AssociationScope::ResourceType(resource_type) => {
                let values = [
                    part.into(),
                    who,
                    home,
                    resource_type.into(),
                    created,
                    id,
                    ended_since,
                    deleted_since,
                    limit.into(),
                ];
                connection.query(&OF_TYPE, &values, read_in_share).await
            }
            AssociationScope::Entity(entity) => {
                let values = [
                    part.into(),
                    who,
                    home,
                    kind,
                    entity.into(),
                    created,
                    id,
                    ended_since,
                    deleted_since,
                    limit.into(),
                ];
                connection.query(&OF_ENTITY, &values, read_in_share).await
            }
            AssociationScope::EntityInShare(share, entity) => {
                let values = [
                    part.into(),
                    Value::Text(share.owner.as_str()),
                    Value::Text(share.region.as_str()),
                    Value::from(&share.id.0),
                    kind,
                    entity.into(),
                    ended_since,
                    deleted_since,
                ];
                let mut rows = connection.query(&OF_ENTITY_IN_SHARE, &values, read_in_share).await?;
                rows.retain(|row| AssociationCursor::after(&row.association) > after);
                Ok(rows)
            }
        }
    }
}

impl Transaction {
    pub(crate) async fn store_association(&self, association: &Association) -> Result<(), StoreError> {
        let member = to_json(&association.member)?;
        let (standing, since, deadline, invitation) = match &association.standing {
            Standing::Invited { invitation, deadline } => {
                (INVITED, association.created, Some(*deadline), Some(invitation))
            }
            Standing::Granted { at, invitation } => (GRANTED, *at, None, invitation.as_ref()),
            Standing::Ended { at } => (ENDED, *at, None, None),
        };
        let values = [
            self.part().0.into(),
            Value::Text(association.owner.as_str()),
            Value::Text(association.region.as_str()),
            Value::from(&association.share.0),
            Value::Int(number(association.kind())),
            Value::Text(&association.entity),
            Value::from(&association.id.0),
            association.share_created.into(),
            association.created.into(),
            Value::Int(standing),
            since.into(),
            deadline.into(),
            invitation.map(|id| &id.0).into(),
            association.receiver().into(),
            association.resource_type().into(),
            Value::Text(&member),
        ];
        let row = self.connection.execute(&STORE, &values);
        match association.basis() {
            None => row.await.map(drop),
            Some(_) => try_join(row, self.store_basis(association)).await.map(drop),
        }
    }
}

pub(crate) fn kind_of(number: i64) -> Result<AssociationKind, StoreError> {
    match number {
        0 => Ok(AssociationKind::Principal),
        1 => Ok(AssociationKind::Resource),
        2 => Ok(AssociationKind::Source),
        other => Err(StoreError::Corrupt { what: format!("{other} is no kind of association") }),
    }
}

pub(crate) fn number(kind: AssociationKind) -> i64 {
    match kind {
        AssociationKind::Principal => 0,
        AssociationKind::Resource => 1,
        AssociationKind::Source => 2,
    }
}

/// What a list tells of a share.
struct ShareOf {
    name: String,
    deleted: Option<TimestampMs>,
}

impl ShareOf {
    fn of(&self, association: Association) -> AssociationInShare {
        AssociationInShare { association, share_name: self.name.clone(), share_deleted: self.deleted }
    }
}

fn read_share_of(row: &Row<'_>) -> Result<ShareOf, StoreError> {
    Ok(ShareOf { name: row.text(0)?.to_owned(), deleted: row.opt_time(1)? })
}

fn read_in_share(row: &Row<'_>) -> Result<AssociationInShare, StoreError> {
    Ok(AssociationInShare {
        association: read_association(row)?,
        share_name: row.text(12)?.to_owned(),
        share_deleted: row.opt_time(13)?,
    })
}

pub(crate) fn read_association(row: &Row<'_>) -> Result<Association, StoreError> {
    let (since, deadline) = (row.time(9)?, row.opt_time(10)?);
    let invitation = row.opt_uuid(11)?.map(InvitationId);
    let standing = match (row.int(8)?, deadline, invitation) {
        (INVITED, Some(deadline), Some(invitation)) => Standing::Invited { invitation, deadline },
        (GRANTED, _, invitation) => Standing::Granted { at: since, invitation },
        (ENDED, ..) => Standing::Ended { at: since },
        _ => return Err(corrupt(8, "is no standing")),
    };
    Ok(Association {
        owner: row.parsed(0)?,
        region: row.parsed(1)?,
        share: ShareId(row.uuid(2)?),
        share_created: row.time(3)?,
        id: AssociationId(row.uuid(4)?),
        entity: row.text(5)?.to_owned(),
        member: row.json(6)?,
        created: row.time(7)?,
        standing,
    })
}
