//! What time has done: rows that are due to be tidied or purged, found by index whatever their partition, and removed in
//! transactions of their partition.

use rampart_core::contents::EndedThrough;
use rampart_core::{
    Association, AssociationId, AssociationKind, Invitation, InvitationArn, InvitationId, ShareArn, ShareId,
    TimestampMs,
};

use uuid::Uuid;

use super::organization_tidying::DROP_BASES;
use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::tables::association::{kind_of, number, read_association};
use crate::tables::invitation::read_invitation;
use crate::tables::share_permission::DROP_ALL;
use crate::{PartitionId, StoreError, Transaction};

/// What ended with its share before it was due is left out: that is written down of the share, and must not stand before
/// what is due.
static OVERDUE: Statement = Statement::new(
    "retention.overdue",
    "SELECT a.owner, a.region, a.invitation_id FROM association a
     JOIN resource_share s ON s.part = a.part AND s.share_id = a.share_id
     WHERE a.deadline_ms IS NOT NULL AND a.deadline_ms <= $1
       AND (s.deleted_ms IS NULL OR a.deadline_ms <= s.deleted_ms)
     ORDER BY a.deadline_ms LIMIT $2",
);
static UNTIDY: Statement = Statement::new(
    "retention.untidy",
    "SELECT owner, region, share_id FROM resource_share WHERE untidy = 1 AND deleted_ms <= $1
     ORDER BY deleted_ms LIMIT $2",
);
static ENDED: Statement = Statement::new(
    "retention.ended",
    "SELECT owner, region, share_id, kind, entity FROM association
     WHERE standing = 2 AND since_ms <= $1 ORDER BY since_ms LIMIT $2",
);
static DELETED: Statement = Statement::new(
    "retention.deleted",
    "SELECT owner, region, share_id FROM resource_share
     WHERE deleted_ms IS NOT NULL AND deleted_ms <= $1 ORDER BY deleted_ms LIMIT $2",
);
static ANSWERED: Statement = Statement::new(
    "retention.answered",
    "SELECT sender, region, invitation_id FROM invitation
     WHERE accepted = $1 AND answered_ms IS NOT NULL AND answered_ms <= $2 ORDER BY answered_ms LIMIT $3",
);
/// Not while an association waits on it: ending that needs the invitation. A scalar query, because PostgreSQL joins what
/// stands in NOT EXISTS by reading all that waits.
static EXPIRED: Statement = Statement::new(
    "retention.expired",
    "SELECT i.sender, i.region, i.invitation_id FROM invitation i
     WHERE i.answered_ms IS NULL AND i.deadline_ms <= $1
       AND (SELECT min(a.deadline_ms) FROM association a WHERE a.part = i.part AND a.share_id = i.share_id
         AND a.receiver = i.receiver AND a.invitation_id = i.invitation_id AND a.standing = 0) IS NULL
     ORDER BY i.deadline_ms LIMIT $2",
);
static TOKENS: Statement = Statement::new(
    "retention.tokens",
    "SELECT part, account, region, operation, token FROM client_token
     WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2",
);
static EVENTS: Statement = Statement::new(
    "retention.events",
    "SELECT part, seq, idx, n FROM sharing_event WHERE at_ms <= $1 ORDER BY at_ms LIMIT $2",
);
/// Those that go with their share: accepted ones, and those that waited when it was deleted.
static GONE_WITH_SHARE: Statement = Statement::new(
    "retention.gone_with_share",
    "SELECT sender, region, invitation_id FROM invitation
     WHERE part = $1 AND share_id = $2 AND (accepted = 1 OR (answered_ms IS NULL AND deadline_ms > $3))
     ORDER BY part, share_id LIMIT $4",
);
static NAMELESS_OF_SHARE: Statement = Statement::new(
    "retention.nameless_of_share",
    "SELECT sender, region, invitation_id, share_id, receiver, receiver_arn, created_ms, deadline_ms, accepted, answered_ms,
            share_name
     FROM invitation WHERE part = $1 AND share_id = $2 AND share_name IS NULL ORDER BY part, share_id LIMIT $3",
);
static KEYS_OF_SHARE: Statement = Statement::new(
    "retention.keys_of_share",
    "SELECT owner, region, share_id, kind, entity FROM association
     WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 ORDER BY part, owner, region, share_id LIMIT $5",
);
static WAITING_OF_SHARE: Statement = Statement::new(
    "retention.waiting_of_share",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id
     FROM association
     WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 AND standing = 0
       AND deadline_ms > $5
     ORDER BY part, owner, region, share_id LIMIT $6",
);
static GRANTED_OF_SHARE: Statement = Statement::new(
    "retention.granted_of_share",
    "SELECT owner, region, share_id, share_created_ms, association_id, entity, member, created_ms, standing, since_ms,
            deadline_ms, invitation_id
     FROM association
     WHERE part = $1 AND share_id = $2 AND (kind, created_ms, association_id) > ($3, $4, $5) AND standing = 1
     ORDER BY kind, created_ms, association_id LIMIT $6",
);
static DROP_ASSOCIATION: Statement = Statement::new(
    "association.drop",
    "DELETE FROM association
     WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4 AND kind = $5 AND entity = $6",
);
static DROP_SHARE: Statement = Statement::new(
    "resource_share.drop",
    "DELETE FROM resource_share WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4",
);
static DROP_TAGS: Statement = Statement::new(
    "resource_share_tag.drop_all",
    "DELETE FROM resource_share_tag WHERE part = $1 AND owner = $2 AND region = $3 AND share_id = $4",
);
pub(super) static DROP_TOKEN: Statement = Statement::new(
    "client_token.drop",
    "DELETE FROM client_token
     WHERE part = $1 AND account = $2 AND region = $3 AND operation = $4 AND token = $5 AND expires_ms <= $6",
);
static DROP_EVENT: Statement = Statement::new(
    "sharing_event.drop",
    "DELETE FROM sharing_event WHERE part = $1 AND seq = $2 AND idx = $3 AND n = $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &OVERDUE,
    &UNTIDY,
    &ENDED,
    &DELETED,
    &ANSWERED,
    &EXPIRED,
    &TOKENS,
    &EVENTS,
    &GONE_WITH_SHARE,
    &NAMELESS_OF_SHARE,
    &KEYS_OF_SHARE,
    &WAITING_OF_SHARE,
    &GRANTED_OF_SHARE,
    &DROP_ASSOCIATION,
    &DROP_SHARE,
    &DROP_TAGS,
    &DROP_TOKEN,
    &DROP_EVENT,
];

/// The key of an association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationKey {
    /// Its share.
    pub share: ShareArn,
    /// What the entity is.
    pub kind: AssociationKind,
    /// The entity.
    pub entity: String,
}

/// The key of a remembered answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    part: PartitionId,
    account: String,
    region: String,
    operation: String,
    token: String,
}

/// The key of a recorded event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey {
    part: PartitionId,
    seq: i64,
    idx: i64,
    n: i64,
}

impl TokenKey {
    /// Where it lives.
    pub fn part(&self) -> PartitionId {
        self.part
    }
}

impl EventKey {
    /// Where it lives.
    pub fn part(&self) -> PartitionId {
        self.part
    }
}

impl Reader {
    /// Invitations that expired by `now`, before their share was deleted, and whose associations still wait.
    pub async fn overdue_invitations(
        &self,
        now: TimestampMs,
        limit: u32,
    ) -> Result<Vec<InvitationArn>, StoreError> {
        self.connection.query(&OVERDUE, &[now.into(), limit.into()], read_invitation_arn).await
    }

    /// Deleted shares whose associations were not ended yet.
    pub async fn untidy_shares(&self, now: TimestampMs, limit: u32) -> Result<Vec<ShareArn>, StoreError> {
        self.connection.query(&UNTIDY, &[now.into(), limit.into()], read_share_arn).await
    }

    /// Associations that ended by `by`.
    pub async fn ended_associations(
        &self,
        by: TimestampMs,
        limit: u32,
    ) -> Result<Vec<AssociationKey>, StoreError> {
        self.connection.query(&ENDED, &[by.into(), limit.into()], read_key).await
    }

    /// Shares that were deleted by `by`.
    pub async fn deleted_shares(&self, by: TimestampMs, limit: u32) -> Result<Vec<ShareArn>, StoreError> {
        self.connection.query(&DELETED, &[by.into(), limit.into()], read_share_arn).await
    }

    /// Invitations that were answered so by `by`.
    pub async fn answered_invitations(
        &self,
        accepted: bool,
        by: TimestampMs,
        limit: u32,
    ) -> Result<Vec<InvitationArn>, StoreError> {
        let values = [accepted.into(), by.into(), limit.into()];
        self.connection.query(&ANSWERED, &values, read_invitation_arn).await
    }

    /// Invitations that expired by `by` and that no association waits on any more.
    pub async fn expired_invitations(
        &self,
        by: TimestampMs,
        limit: u32,
    ) -> Result<Vec<InvitationArn>, StoreError> {
        self.connection.query(&EXPIRED, &[by.into(), limit.into()], read_invitation_arn).await
    }

    /// Remembered answers that expired by `now`.
    pub async fn expired_tokens(&self, now: TimestampMs, limit: u32) -> Result<Vec<TokenKey>, StoreError> {
        self.connection
            .query(&TOKENS, &[now.into(), limit.into()], |row| {
                Ok(TokenKey {
                    part: PartitionId(row.int(0)?),
                    account: row.text(1)?.to_owned(),
                    region: row.text(2)?.to_owned(),
                    operation: row.text(3)?.to_owned(),
                    token: row.text(4)?.to_owned(),
                })
            })
            .await
    }

    /// Events recorded by `by`.
    pub async fn recorded_events(&self, by: TimestampMs, limit: u32) -> Result<Vec<EventKey>, StoreError> {
        self.connection
            .query(&EVENTS, &[by.into(), limit.into()], |row| {
                let part = PartitionId(row.int(0)?);
                Ok(EventKey { part, seq: row.int(1)?, idx: row.int(2)?, n: row.int(3)? })
            })
            .await
    }

    /// The invitations of a share that are not shown any longer once it was deleted at `deleted`.
    pub async fn invitations_gone_with_share(
        &self,
        share: ShareArn,
        deleted: TimestampMs,
        limit: u32,
    ) -> Result<Vec<InvitationArn>, StoreError> {
        let part = self.part_of(share.owner);
        let values = [part.into(), Value::from(&share.id.0), deleted.into(), limit.into()];
        self.connection.query(&GONE_WITH_SHARE, &values, read_invitation_arn).await
    }

    /// The invitations of a share that do not hold its name yet.
    pub async fn nameless_invitations(
        &self,
        share: ShareArn,
        limit: u32,
    ) -> Result<Vec<Invitation>, StoreError> {
        let values = [self.part_of(share.owner).into(), Value::from(&share.id.0), limit.into()];
        self.connection.query(&NAMELESS_OF_SHARE, &values, read_invitation).await
    }

    /// Associations of a share that wait for the answer to an invitation which is due after `after`.
    pub async fn waiting_associations(
        &self,
        share: ShareArn,
        after: TimestampMs,
        limit: u32,
    ) -> Result<Vec<Association>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            after.into(),
            limit.into(),
        ];
        self.connection.query(&WAITING_OF_SHARE, &values, read_association).await
    }

    /// Associations of a share that were granted, after a place among them.
    pub async fn granted_associations(
        &self,
        share: ShareArn,
        after: Option<EndedThrough>,
        limit: u32,
    ) -> Result<Vec<Association>, StoreError> {
        let (kind, created, id) = after
            .map_or((-1, TimestampMs(i64::MIN), AssociationId(Uuid::nil())), |after| {
                (number(after.kind), after.created, after.id)
            });
        let values = [
            self.part_of(share.owner).into(),
            Value::from(&share.id.0),
            Value::Int(kind),
            created.into(),
            Value::from(&id.0),
            limit.into(),
        ];
        self.connection.query(&GRANTED_OF_SHARE, &values, read_association).await
    }

    /// The keys of a share's associations, in whatever standing.
    pub async fn association_keys(
        &self,
        share: ShareArn,
        limit: u32,
    ) -> Result<Vec<AssociationKey>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            limit.into(),
        ];
        self.connection.query(&KEYS_OF_SHARE, &values, read_key).await
    }
}

impl Transaction {
    /// Forgets an answer that has expired by `now`. Not a change that a follower of the log needs.
    pub async fn drop_token(&self, key: &TokenKey, now: TimestampMs) -> Result<(), StoreError> {
        self.mark_written();
        let values = [
            key.part.0.into(),
            Value::Text(&key.account),
            Value::Text(&key.region),
            Value::Text(&key.operation),
            Value::Text(&key.token),
            now.into(),
        ];
        self.connection.execute(&DROP_TOKEN, &values).await.map(drop)
    }

    /// Forgets an event. Not a change that a follower of the log needs.
    pub async fn drop_event(&self, key: EventKey) -> Result<(), StoreError> {
        self.mark_written();
        let values = [key.part.0.into(), key.seq.into(), key.idx.into(), key.n.into()];
        self.connection.execute(&DROP_EVENT, &values).await.map(drop)
    }

    pub(crate) async fn purge_association(
        &self,
        share: ShareArn,
        kind: AssociationKind,
        entity: &str,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
            Value::Int(number(kind)),
            Value::Text(entity),
        ];
        self.connection.execute(&DROP_ASSOCIATION, &values).await.map(drop)
    }

    pub(crate) async fn purge_share(&self, share: ShareArn) -> Result<(), StoreError> {
        let key = [
            self.part().0.into(),
            Value::Text(share.owner.as_str()),
            Value::Text(share.region.as_str()),
            Value::from(&share.id.0),
        ];
        let tags = self.connection.execute(&DROP_TAGS, &key);
        let permissions = self.connection.execute(&DROP_ALL, &key);
        let bases = self.connection.execute(&DROP_BASES, &key);
        let share = self.connection.execute(&DROP_SHARE, &key);
        futures_util::future::try_join4(tags, permissions, bases, share).await.map(drop)
    }
}

fn read_invitation_arn(row: &Row<'_>) -> Result<InvitationArn, StoreError> {
    Ok(InvitationArn { sender: row.parsed(0)?, region: row.parsed(1)?, id: InvitationId(row.uuid(2)?) })
}

fn read_share_arn(row: &Row<'_>) -> Result<ShareArn, StoreError> {
    Ok(ShareArn { owner: row.parsed(0)?, region: row.parsed(1)?, id: ShareId(row.uuid(2)?) })
}

fn read_key(row: &Row<'_>) -> Result<AssociationKey, StoreError> {
    Ok(AssociationKey {
        share: read_share_arn(row)?,
        kind: kind_of(row.int(3)?)?,
        entity: row.text(4)?.to_owned(),
    })
}
