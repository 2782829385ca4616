//! `client_token`: answers remembered for callers that ask again.

use rampart_core::{AccountId, Region, TimestampMs};
use serde::{Deserialize, Serialize};

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::tables::retention::DROP_TOKEN;
use crate::{PartitionId, StoreError, Transaction};

/// Where the answer is does not depend on whom the call concerned, but it did once, so the partition is not asked for.
static LOAD: Statement = Statement::new(
    "client_token.load",
    "SELECT request_hash, answer FROM client_token
     WHERE account = $1 AND region = $2 AND operation = $3 AND token = $4 AND expires_ms > $5
     ORDER BY account, region, operation, token LIMIT 16",
);
static STORE: Statement = Statement::new(
    "client_token.store",
    "INSERT INTO client_token (part, account, region, operation, token, request_hash, answer, expires_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (part, account, region, operation, token) DO NOTHING",
);

static ALL: Statement = Statement::new(
    "client_token.all",
    "SELECT account, region, operation, token, request_hash, answer, expires_ms FROM client_token
     WHERE part = $1 AND (account, region, operation, token) > ($2, $3, $4, $5)
     ORDER BY account, region, operation, token LIMIT 500",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&LOAD, &STORE, &ALL];

/// A row, as it is exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredToken {
    pub(crate) account: AccountId,
    region: Region,
    operation: String,
    token: String,
    request_hash: Vec<u8>,
    answer: String,
    expires: TimestampMs,
}

/// Within what a client token is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenScope {
    /// The caller.
    pub account: AccountId,
    /// The Region called.
    pub region: Region,
    /// The operation.
    pub operation: &'static str,
    /// The token itself.
    pub token: String,
}

/// What was answered the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// Digest of the canonical request.
    pub request_hash: Vec<u8>,
    /// The answer's body, word for word.
    pub answer: String,
}

impl Reader {
    /// The tokens of a partition after one, in the order of their keys.
    pub(crate) async fn client_tokens(
        &self,
        part: PartitionId,
        after: Option<&StoredToken>,
    ) -> Result<Vec<StoredToken>, StoreError> {
        let account = after.map_or("", |after| after.account.as_str());
        let region = after.map_or("", |after| after.region.as_str());
        let (operation, token) =
            (after.map_or("", |after| &*after.operation), after.map_or("", |after| &*after.token));
        let values = [
            part.0.into(),
            Value::Text(account),
            Value::Text(region),
            Value::Text(operation),
            Value::Text(token),
        ];
        self.connection.query(&ALL, &values, read_stored).await
    }

    /// The first answers to this token, while they are remembered: one, and of a time when answers were kept where the
    /// call wrote perhaps several.
    pub async fn remembered_answers(
        &self,
        scope: &TokenScope,
        now: TimestampMs,
    ) -> Result<Vec<RememberedAnswer>, StoreError> {
        let values = [
            Value::Text(scope.account.as_str()),
            Value::Text(scope.region.as_str()),
            Value::Text(scope.operation),
            Value::Text(&scope.token),
            now.into(),
        ];
        self.connection
            .query(&LOAD, &values, |row| {
                Ok(RememberedAnswer { request_hash: row.bytes(0)?.to_vec(), answer: row.text(1)?.to_owned() })
            })
            .await
    }
}

impl Transaction {
    /// Writes a row that was exported.
    pub(crate) async fn store_token(&self, row: &StoredToken) -> Result<(), StoreError> {
        self.mark_written();
        self.store_new(row).await.map(drop)
    }

    /// Remembers the answer to a token until `expires`. Who uses a token at the same moment for something else meets
    /// the first answer when its transaction is run again.
    ///
    /// The row is in the caller's partition, whatever partition the transaction writes: of all that calls of one account
    /// write it is the one thing that must not be there twice. No head row guards it there, its primary key does.
    pub async fn remember_answer(
        &self,
        scope: &TokenScope,
        answer: &RememberedAnswer,
        now: TimestampMs,
        expires: TimestampMs,
    ) -> Result<(), StoreError> {
        self.mark_written();
        let row = StoredToken {
            account: scope.account,
            region: scope.region,
            operation: scope.operation.to_owned(),
            token: scope.token.clone(),
            request_hash: answer.request_hash.clone(),
            answer: answer.answer.clone(),
            expires,
        };
        if self.store_new(&row).await? {
            return Ok(());
        }
        // Of an answer that is over only the row is left: it makes way.
        let values = [
            self.part_of(row.account).into(),
            Value::Text(row.account.as_str()),
            Value::Text(row.region.as_str()),
            Value::Text(&row.operation),
            Value::Text(&row.token),
            now.into(),
        ];
        let is_over = self.connection.execute(&DROP_TOKEN, &values).await? > 0;
        if is_over && self.store_new(&row).await? {
            return Ok(());
        }
        Err(StoreError::Conflict { attempts: 1 })
    }

    /// Writes a row into the partition of its account. Whether there was none before.
    async fn store_new(&self, row: &StoredToken) -> Result<bool, StoreError> {
        let values = [
            self.part_of(row.account).into(),
            Value::Text(row.account.as_str()),
            Value::Text(row.region.as_str()),
            Value::Text(&row.operation),
            Value::Text(&row.token),
            Value::Bytes(&row.request_hash),
            Value::Text(&row.answer),
            row.expires.into(),
        ];
        Ok(self.connection.execute(&STORE, &values).await? > 0)
    }
}

fn read_stored(row: &Row<'_>) -> Result<StoredToken, StoreError> {
    Ok(StoredToken {
        account: row.parsed(0)?,
        region: row.parsed(1)?,
        operation: row.text(2)?.to_owned(),
        token: row.text(3)?.to_owned(),
        request_hash: row.bytes(4)?.to_vec(),
        answer: row.text(5)?.to_owned(),
        expires: row.time(6)?,
    })
}
