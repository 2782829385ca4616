//! `account` and `access_key`: who is known, and by what they sign.

use rampart_core::AccountId;
use rampart_core::access_key::{AccessKey, Account, account_of_access_key};

use crate::statement::{Row, Statement, Value};
use crate::store::Reader;
use crate::{StoreError, Transaction};

static LOAD_ACCOUNT: Statement = Statement::new(
    "account.load",
    "SELECT account, name, created_ms FROM account WHERE part = $1 AND account = $2",
);
static STORE_ACCOUNT: Statement = Statement::new(
    "account.store",
    "INSERT INTO account (part, account, name, created_ms) VALUES ($1, $2, $3, $4)
     ON CONFLICT (part, account) DO UPDATE SET name = excluded.name",
);
static LOAD_KEY: Statement = Statement::new(
    "access_key.load",
    "SELECT account, access_key_id, user_name, sealed_secret, active, created_ms FROM access_key
     WHERE part = $1 AND account = $2 AND access_key_id = $3",
);
static LIST_KEYS: Statement = Statement::new(
    "access_key.list",
    "SELECT account, access_key_id, user_name, sealed_secret, active, created_ms FROM access_key
     WHERE part = $1 AND account = $2 ORDER BY access_key_id LIMIT 1000",
);
static LIST_KEYS_OF_USER: Statement = Statement::new(
    "access_key.of_user",
    "SELECT account, access_key_id, user_name, sealed_secret, active, created_ms FROM access_key
     WHERE part = $1 AND account = $2 AND user_name = $3 AND access_key_id > $4
     ORDER BY access_key_id LIMIT $5",
);
static DROP_KEY: Statement = Statement::new(
    "access_key.drop",
    "DELETE FROM access_key WHERE part = $1 AND account = $2 AND access_key_id = $3",
);
static ANY_KEY: Statement = Statement::new(
    "access_key.any",
    "SELECT access_key_id FROM access_key WHERE part = $1 ORDER BY account, access_key_id LIMIT 1",
);
static STORE_KEY: Statement = Statement::new(
    "access_key.store",
    "INSERT INTO access_key (part, account, access_key_id, user_name, sealed_secret, active, created_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (part, account, access_key_id) DO UPDATE SET active = excluded.active",
);

pub(crate) static STATEMENTS: &[&Statement] = &[
    &LOAD_ACCOUNT,
    &STORE_ACCOUNT,
    &LOAD_KEY,
    &LIST_KEYS,
    &LIST_KEYS_OF_USER,
    &DROP_KEY,
    &ANY_KEY,
    &STORE_KEY,
];

impl Reader {
    /// The account, if it was registered.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let values = [self.part_of(id).into(), Value::Text(id.as_str())];
        self.connection.query_opt(&LOAD_ACCOUNT, &values, read_account).await
    }

    /// The access key of that id. The id names its account, so one point read finds it.
    pub async fn access_key(&self, id: &str) -> Result<Option<AccessKey>, StoreError> {
        let Some(account) = account_of_access_key(id) else {
            return Ok(None);
        };
        let values = [self.part_of(account).into(), Value::Text(account.as_str()), Value::Text(id)];
        self.connection.query_opt(&LOAD_KEY, &values, read_key).await
    }

    /// The access keys of a user, or of the root when the name is empty, ordered by id.
    pub async fn access_keys_of_user(
        &self,
        account: AccountId,
        user: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<AccessKey>, StoreError> {
        let values = [
            self.part_of(account).into(),
            Value::Text(account.as_str()),
            Value::Text(user),
            Value::Text(after),
            limit.into(),
        ];
        self.connection.query(&LIST_KEYS_OF_USER, &values, read_key).await
    }

    /// Whether there is an access key of any account.
    pub async fn has_access_keys(&self) -> Result<bool, StoreError> {
        for part in self.partitions.all() {
            let found = self.connection.query_opt(&ANY_KEY, &[part.0.into()], |_| Ok(())).await?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The access keys of an account, ordered by id; 1,000 at the most.
    pub async fn access_keys(&self, account: AccountId) -> Result<Vec<AccessKey>, StoreError> {
        let values = [self.part_of(account).into(), Value::Text(account.as_str())];
        self.connection.query(&LIST_KEYS, &values, read_key).await
    }
}

impl Transaction {
    pub(crate) async fn store_account(&self, account: &Account) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(account.id.as_str()),
            Value::Text(&account.name),
            account.created.into(),
        ];
        self.connection.execute(&STORE_ACCOUNT, &values).await.map(drop)
    }

    pub(crate) async fn store_access_key(&self, key: &AccessKey) -> Result<(), StoreError> {
        let values = [
            self.part().0.into(),
            Value::Text(key.account.as_str()),
            Value::Text(&key.id),
            Value::Text(&key.user),
            Value::Bytes(&key.sealed_secret),
            key.active.into(),
            key.created.into(),
        ];
        self.connection.execute(&STORE_KEY, &values).await.map(drop)
    }

    pub(crate) async fn drop_access_key(&self, account: AccountId, id: &str) -> Result<(), StoreError> {
        let values = [self.part().0.into(), Value::Text(account.as_str()), Value::Text(id)];
        self.connection.execute(&DROP_KEY, &values).await.map(drop)
    }
}

pub(crate) fn read_account(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account { id: row.parsed(0)?, name: row.text(1)?.to_owned(), created: row.time(2)? })
}

pub(crate) fn read_key(row: &Row<'_>) -> Result<AccessKey, StoreError> {
    Ok(AccessKey {
        account: row.parsed(0)?,
        id: row.text(1)?.to_owned(),
        user: row.text(2)?.to_owned(),
        sealed_secret: row.bytes(3)?.to_vec(),
        active: row.flag(4)?,
        created: row.time(5)?,
    })
}
