//! `account_creation` and `organization_handshake`: what was asked for, and what came of it.

use rampart_core::organization::creation::AccountCreation;
use rampart_core::organization::handshake::Handshake;
use rampart_core::organization::{CreationId, HandshakeId};
use rampart_core::{AccountId, TimestampMs};

use super::organization::json;
use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD_CREATION: Statement = Statement::new(
    "account_creation.load",
    "SELECT body FROM account_creation
     WHERE part = $1 AND management = $2 AND creation_id = $3 AND requested_ms > $4",
);
/// Of either of two states.
static CREATIONS: Statement = Statement::new(
    "account_creation.list",
    "SELECT body FROM account_creation
     WHERE part = $1 AND management = $2 AND creation_id > $3 AND requested_ms > $4 AND (state = $5 OR state = $6)
     ORDER BY creation_id LIMIT $7",
);
static STORE_CREATION: Statement = Statement::new(
    "account_creation.store",
    "INSERT INTO account_creation (part, management, creation_id, state, requested_ms, body)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, management, creation_id) DO NOTHING",
);
/// The id alone is known to who is invited. Handshakes of an organization that is no more are removed after it is, and
/// before its management account has another.
static LOAD_HANDSHAKE: Statement = Statement::new(
    "organization_handshake.load",
    "SELECT h.body FROM organization_handshake h
     JOIN organization o ON o.part = h.part AND o.management = h.management
     WHERE h.handshake_id = $1 AND h.forgotten_ms > $2",
);
static SENT: Statement = Statement::new(
    "organization_handshake.sent",
    "SELECT body FROM organization_handshake
     WHERE part = $1 AND management = $2 AND handshake_id > $3 AND forgotten_ms > $4 ORDER BY handshake_id LIMIT $5",
);
static RECEIVED: Statement = Statement::new(
    "organization_handshake.received",
    "SELECT h.body FROM organization_handshake h
     JOIN organization o ON o.part = h.part AND o.management = h.management
     WHERE h.target = $1 AND h.handshake_id > $2 AND h.forgotten_ms > $3
     ORDER BY h.handshake_id LIMIT $4",
);
/// An open one is forgotten last of all to that account.
static LAST: Statement = Statement::new(
    "organization_handshake.last",
    "SELECT body FROM organization_handshake WHERE part = $1 AND management = $2 AND target = $3
     ORDER BY part DESC, management DESC, target DESC, forgotten_ms DESC LIMIT 1",
);
static STORE_HANDSHAKE: Statement = Statement::new(
    "organization_handshake.store",
    "INSERT INTO organization_handshake (part, management, handshake_id, target, forgotten_ms, body)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (part, management, handshake_id)
     DO UPDATE SET forgotten_ms = excluded.forgotten_ms, body = excluded.body",
);
/// Of whatever organization, those of one that is no more, too.
static FORGOTTEN_HANDSHAKES: Statement = Statement::new(
    "organization_handshake.forgotten",
    "SELECT management, handshake_id FROM organization_handshake WHERE forgotten_ms <= $1
     ORDER BY forgotten_ms LIMIT $2",
);
static DROP_HANDSHAKE: Statement = Statement::new(
    "organization_handshake.drop",
    "DELETE FROM organization_handshake
     WHERE part = $1 AND management = $2 AND handshake_id = $3 AND forgotten_ms <= $4",
);
static FORGOTTEN_CREATIONS: Statement = Statement::new(
    "account_creation.forgotten",
    "SELECT management, creation_id FROM account_creation WHERE requested_ms <= $1 ORDER BY requested_ms LIMIT $2",
);
static DROP_CREATION: Statement = Statement::new(
    "account_creation.drop",
    "DELETE FROM account_creation WHERE part = $1 AND management = $2 AND creation_id = $3",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD_CREATION,
    &CREATIONS,
    &STORE_CREATION,
    &LOAD_HANDSHAKE,
    &SENT,
    &RECEIVED,
    &LAST,
    &STORE_HANDSHAKE,
    &FORGOTTEN_HANDSHAKES,
    &DROP_HANDSHAKE,
    &FORGOTTEN_CREATIONS,
    &DROP_CREATION,
];

/// The key of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeKey {
    /// Whose organization sent it.
    pub management: AccountId,
    id: String,
}

/// The key of a request to create an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationKey {
    /// Who asked.
    pub management: AccountId,
    id: String,
}

impl Reader {
    /// The request to create an account of that id, unless it was made at `forgotten` or before.
    pub async fn account_creation(
        &self,
        management: AccountId,
        id: &CreationId,
        forgotten: TimestampMs,
    ) -> Result<Option<AccountCreation>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(id.as_str()),
            forgotten.into(),
        ];
        self.connection.query_opt(&LOAD_CREATION, &values, |row| row.json(0)).await
    }

    /// The requests in either of two states after one, by id, unless they were made at `forgotten` or before.
    pub async fn account_creations(
        &self,
        management: AccountId,
        states: [&str; 2],
        forgotten: TimestampMs,
        after: &str,
        limit: u32,
    ) -> Result<Vec<AccountCreation>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(after),
            forgotten.into(),
            Value::Text(states[0]),
            Value::Text(states[1]),
            limit.into(),
        ];
        self.connection.query(&CREATIONS, &values, |row| row.json(0)).await
    }

    /// The handshake of that id, unless it is forgotten by `now` or its organization is no more.
    pub async fn handshake(
        &self,
        id: &HandshakeId,
        now: TimestampMs,
    ) -> Result<Option<Handshake>, StoreError> {
        let values = [Value::Text(id.as_str()), now.into()];
        self.connection.query_opt(&LOAD_HANDSHAKE, &values, |row| row.json(0)).await
    }

    /// What an organization sent, after one, by id.
    pub async fn sent_handshakes(
        &self,
        management: AccountId,
        now: TimestampMs,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Handshake>, StoreError> {
        let values = [
            self.part_of(management).into(),
            Value::Text(management.as_str()),
            Value::Text(after),
            now.into(),
            limit.into(),
        ];
        self.connection.query(&SENT, &values, |row| row.json(0)).await
    }

    /// What an account was sent, after one, by id, by organizations that are there still.
    pub async fn received_handshakes(
        &self,
        target: AccountId,
        now: TimestampMs,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Handshake>, StoreError> {
        let values = [Value::Text(target.as_str()), Value::Text(after), now.into(), limit.into()];
        self.connection.query(&RECEIVED, &values, |row| row.json(0)).await
    }

    /// The handshake of an organization with an account that is kept longest: the open one if there is one.
    pub async fn last_handshake(
        &self,
        management: AccountId,
        target: AccountId,
    ) -> Result<Option<Handshake>, StoreError> {
        let values =
            [self.part_of(management).into(), Value::Text(management.as_str()), Value::Text(target.as_str())];
        self.connection.query_opt(&LAST, &values, |row| row.json(0)).await
    }

    /// Handshakes that are shown no more by `by`.
    pub async fn forgotten_handshakes(
        &self,
        by: TimestampMs,
        limit: u32,
    ) -> Result<Vec<HandshakeKey>, StoreError> {
        let read =
            |row: &Row<'_>| Ok(HandshakeKey { management: row.parsed(0)?, id: row.text(1)?.to_owned() });
        self.connection.query(&FORGOTTEN_HANDSHAKES, &[by.into(), limit.into()], read).await
    }

    /// Requests to create accounts that were made by `by`.
    pub async fn forgotten_creations(
        &self,
        by: TimestampMs,
        limit: u32,
    ) -> Result<Vec<CreationKey>, StoreError> {
        let read =
            |row: &Row<'_>| Ok(CreationKey { management: row.parsed(0)?, id: row.text(1)?.to_owned() });
        self.connection.query(&FORGOTTEN_CREATIONS, &[by.into(), limit.into()], read).await
    }
}

impl Transaction {
    /// Forgets a handshake that is shown no more by `by`. Not a change that a follower of the log needs.
    pub async fn drop_handshake(&self, key: &HandshakeKey, by: TimestampMs) -> Result<(), StoreError> {
        self.mark_written();
        self.write(&DROP_HANDSHAKE, key.management, &[Value::Text(&key.id), by.into()]).await
    }

    /// Forgets a request to create an account. Not a change that a follower of the log needs.
    pub async fn drop_creation(&self, key: &CreationKey) -> Result<(), StoreError> {
        self.mark_written();
        self.write(&DROP_CREATION, key.management, &[Value::Text(&key.id)]).await
    }

    pub(crate) async fn store_creation(&self, creation: &AccountCreation) -> Result<(), StoreError> {
        let body = json(creation)?;
        let values = [
            Value::Text(creation.id.as_str()),
            Value::Text(creation.state()),
            creation.requested.into(),
            Value::Text(&body),
        ];
        self.write(&STORE_CREATION, creation.management, &values).await
    }

    pub(crate) async fn store_handshake(&self, handshake: &Handshake) -> Result<(), StoreError> {
        let body = json(handshake)?;
        let values = [
            Value::Text(handshake.id.as_str()),
            Value::Text(handshake.target.as_str()),
            handshake.forgotten().into(),
            Value::Text(&body),
        ];
        self.write(&STORE_HANDSHAKE, handshake.management, &values).await
    }
}
