//! `invitation`: lives with its sender, and an index finds it by its receiver.

use rampart_core::invitation::Answer;
use rampart_core::{
    AccountId, Invitation, InvitationArn, InvitationId, Region, ShareArn, ShareId, TimestampMs, Timing,
};
use uuid::Uuid;

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD: Statement = Statement::new(
    "invitation.load",
    "SELECT sender, region, invitation_id, share_id, receiver, receiver_arn, created_ms, deadline_ms, accepted, answered_ms,
            share_name
     FROM invitation WHERE part = $1 AND sender = $2 AND region = $3 AND invitation_id = $4",
);
/// Visible: neither answered nor expired too long ago, and the share is not deleted or was so after that.
static RECEIVED: Statement = Statement::new(
    "invitation.received",
    "SELECT i.sender, i.region, i.invitation_id, i.share_id, i.receiver, i.receiver_arn, i.created_ms, i.deadline_ms,
            i.accepted, i.answered_ms, i.share_name, s.name
     FROM invitation i
     LEFT JOIN resource_share s ON s.part = i.part AND s.share_id = i.share_id
     WHERE i.receiver = $1 AND i.region = $2 AND (i.created_ms, i.invitation_id) > ($3, $4)
       AND ((i.accepted = 1 AND i.answered_ms > $5) OR (i.accepted = 0 AND i.answered_ms > $6)
         OR (i.answered_ms IS NULL AND i.deadline_ms > $6))
       AND (s.deleted_ms IS NULL OR i.accepted = 0 OR (i.answered_ms IS NULL AND i.deadline_ms <= s.deleted_ms))
     ORDER BY i.created_ms, i.invitation_id LIMIT $7",
);
static RECEIVED_FOR_SHARE: Statement = Statement::new(
    "invitation.received_for_share",
    "SELECT i.sender, i.region, i.invitation_id, i.share_id, i.receiver, i.receiver_arn, i.created_ms, i.deadline_ms,
            i.accepted, i.answered_ms, i.share_name, s.name
     FROM invitation i
     LEFT JOIN resource_share s ON s.part = $1 AND s.share_id = $2
     WHERE i.part = $1 AND i.share_id = $2 AND i.receiver = $3 AND (i.created_ms, i.invitation_id) > ($4, $5)
       AND ((i.accepted = 1 AND i.answered_ms > $6) OR (i.accepted = 0 AND i.answered_ms > $7)
         OR (i.answered_ms IS NULL AND i.deadline_ms > $7))
       AND (s.deleted_ms IS NULL OR i.accepted = 0 OR (i.answered_ms IS NULL AND i.deadline_ms <= s.deleted_ms))
     ORDER BY i.created_ms, i.invitation_id LIMIT $8",
);
/// Of its sender, whatever became of them; those of deleted shares are gone with these.
static SENT: Statement = Statement::new(
    "invitation.sent",
    "SELECT i.sender, i.region, i.invitation_id, i.share_id, i.receiver, i.receiver_arn, i.created_ms, i.deadline_ms,
            i.accepted, i.answered_ms, s.name
     FROM invitation i
     JOIN resource_share s ON s.part = i.part AND s.share_id = i.share_id
     WHERE i.part = $1 AND i.sender = $2 AND i.region = $3 AND i.invitation_id > $4 AND s.deleted_ms IS NULL
     ORDER BY i.invitation_id LIMIT $5",
);
static STORE: Statement = Statement::new(
    "invitation.store",
    "INSERT INTO invitation (part, sender, region, invitation_id, share_id, receiver, receiver_arn, created_ms,
                             deadline_ms, accepted, answered_ms, share_name)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (part, sender, region, invitation_id)
     DO UPDATE SET accepted = excluded.accepted, answered_ms = excluded.answered_ms, share_name = excluded.share_name",
);
static DROP: Statement = Statement::new(
    "invitation.drop",
    "DELETE FROM invitation WHERE part = $1 AND sender = $2 AND region = $3 AND invitation_id = $4",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &RECEIVED, &RECEIVED_FOR_SHARE, &SENT, &STORE, &DROP];

/// After which invitation a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvitationCursor {
    /// Creation time of the last one seen.
    pub created: TimestampMs,
    /// Its id.
    pub id: InvitationId,
}

impl InvitationCursor {
    /// Before the first.
    pub const START: Self = Self { created: TimestampMs(i64::MIN), id: InvitationId(Uuid::nil()) };
}

impl Reader {
    /// The invitation of that ARN, whatever its state.
    pub async fn invitation(&self, arn: InvitationArn) -> Result<Option<Invitation>, StoreError> {
        let values = [
            self.part_of(arn.sender).into(),
            Value::Text(arn.sender.as_str()),
            Value::Text(arn.region.as_str()),
            Value::from(&arn.id.0),
        ];
        self.connection.query_opt(&LOAD, &values, read_invitation).await
    }

    /// What `sender` sent from a Region after an invitation, by id, with the names of the shares.
    pub async fn sent_invitations(
        &self,
        sender: AccountId,
        region: Region,
        after: InvitationId,
        limit: u32,
    ) -> Result<Vec<(Invitation, String)>, StoreError> {
        let values = [
            self.part_of(sender).into(),
            Value::Text(sender.as_str()),
            Value::Text(region.as_str()),
            Value::from(&after.0),
            limit.into(),
        ];
        self.connection.query(&SENT, &values, read_named).await
    }

    /// What `receiver` was sent and can still see, oldest first, with the names of the shares.
    pub async fn received_invitations(
        &self,
        receiver: AccountId,
        region: Region,
        after: InvitationCursor,
        now: TimestampMs,
        timing: &Timing,
        limit: u32,
    ) -> Result<Vec<(Invitation, String)>, StoreError> {
        let values = [
            Value::Text(receiver.as_str()),
            Value::Text(region.as_str()),
            after.created.into(),
            Value::from(&after.id.0),
            accepted_since(now, timing).into(),
            now.saturating_sub_ms(timing.answered_invitation_visible_ms).into(),
            limit.into(),
        ];
        self.connection.query(&RECEIVED, &values, read_named).await
    }

    /// The same, of one share.
    pub async fn received_invitations_for_share(
        &self,
        receiver: AccountId,
        share: ShareArn,
        after: InvitationCursor,
        now: TimestampMs,
        timing: &Timing,
        limit: u32,
    ) -> Result<Vec<(Invitation, String)>, StoreError> {
        let values = [
            self.part_of(share.owner).into(),
            Value::from(&share.id.0),
            Value::Text(receiver.as_str()),
            after.created.into(),
            Value::from(&after.id.0),
            accepted_since(now, timing).into(),
            now.saturating_sub_ms(timing.answered_invitation_visible_ms).into(),
            limit.into(),
        ];
        self.connection.query(&RECEIVED_FOR_SHARE, &values, read_named).await
    }
}

impl Transaction {
    pub(crate) async fn store_invitation(&self, invitation: &Invitation) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(invitation.sender.as_str()),
            Value::Text(invitation.region.as_str()),
            Value::from(&invitation.id.0),
            Value::from(&invitation.share.0),
            Value::Text(invitation.receiver.as_str()),
            invitation.receiver_arn.as_deref().into(),
            invitation.created.into(),
            invitation.deadline.into(),
            invitation.answer.map(|answer| answer.accepted).into(),
            invitation.answer.map(|answer| answer.at).into(),
            invitation.share_name.as_deref().into(),
        ];
        self.connection.execute(&STORE, &values).await.map(drop)
    }

    pub(crate) async fn drop_invitation(
        &self,
        sender: AccountId,
        region: Region,
        id: InvitationId,
    ) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(sender.as_str()),
            Value::Text(region.as_str()),
            Value::from(&id.0),
        ];
        self.connection.execute(&DROP, &values).await.map(drop)
    }
}

/// After when an invitation must have been accepted to be shown.
fn accepted_since(now: TimestampMs, timing: &Timing) -> TimestampMs {
    timing.accepted_invitation_visible_ms.map_or(TimestampMs(i64::MIN), |ms| now.saturating_sub_ms(ms))
}

fn read_named(row: &Row<'_>) -> Result<(Invitation, String), StoreError> {
    let invitation = read_invitation(row)?;
    let name = match &invitation.share_name {
        Some(name) => name.clone(),
        None => row.text(11)?.to_owned(),
    };
    Ok((invitation, name))
}

pub(crate) fn read_invitation(row: &Row<'_>) -> Result<Invitation, StoreError> {
    let answer = match (row.opt_int(8)?, row.opt_time(9)?) {
        (Some(accepted), Some(at)) => Some(Answer { accepted: accepted != 0, at }),
        _ => None,
    };
    Ok(Invitation {
        sender: row.parsed(0)?,
        region: row.parsed(1)?,
        id: InvitationId(row.uuid(2)?),
        share: ShareId(row.uuid(3)?),
        receiver: row.parsed(4)?,
        receiver_arn: row.opt_text(5)?.map(str::to_owned),
        created: row.time(6)?,
        deadline: row.time(7)?,
        answer,
        share_name: row.opt_text(10)?.map(str::to_owned),
    })
}
