//! `store_meta`: what a store knows of itself, by name.

use crate::migrations::{
    META_PART, OLDEST, READ_META, SCHEMA_VERSION, SETTLE_META, VERSION, WRITE_META, check_version,
};
use crate::statement::{Row, Statement, Value};
use crate::store::{Reader, Store};
use crate::{Abort, PartitionId, StoreError, Transaction, Work};

impl Reader {
    /// The value of that name, once it is settled.
    pub async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let values = [META_PART.into(), Value::Text(name)];
        self.connection.query_opt(&READ_META, &values, |row| Ok(row.bytes(0)?.to_vec())).await
    }
}

static SETTINGS: Statement = Statement::new(
    "store_meta.settings",
    "SELECT name, value FROM store_meta
     WHERE part = $1 AND name NOT IN ('schema_version', 'serves_from', 'migration_lock', 'partitions')
     ORDER BY name LIMIT 1000",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&SETTINGS];

impl Reader {
    /// What the store knows of itself, but for what the tables' form is and how many partitions there are.
    pub(crate) async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec()));
        self.connection.query(&SETTINGS, &[META_PART.into()], read).await
    }
}

impl Store {
    pub(crate) async fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), Abort> {
        let work = SetMeta { name: name.to_owned(), value: value.to_vec() };
        self.write(PartitionId(META_PART), work).await
    }

    /// Asks whether the store answers and has the tables that this build needs. A newer build may have brought them
    /// further: it leaves those of the older ones be, or says that these may not serve any more.
    pub async fn check(&self) -> Result<(), StoreError> {
        let reader = self.reader_at_once().await?;
        let (version, oldest) = tokio::try_join!(reader.meta(VERSION), reader.meta(OLDEST))?;
        let version = check_version(version.as_slice(), oldest.as_slice())?;
        if version < SCHEMA_VERSION {
            return Err(StoreError::Outdated { found: version, needed: SCHEMA_VERSION });
        }
        Ok(())
    }

    /// Settles a value for good, and gives the one that holds: another may have come first.
    pub async fn settle_meta(&self, name: &'static str, value: Vec<u8>) -> Result<Vec<u8>, Abort> {
        self.write(PartitionId(META_PART), SettleMeta { name, value }).await
    }
}

struct SetMeta {
    name: String,
    value: Vec<u8>,
}

impl Work for SetMeta {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.mark_written();
        let values = [META_PART.into(), Value::Text(&self.name), Value::Bytes(&self.value)];
        tx.connection.execute(&WRITE_META, &values).await?;
        Ok(())
    }
}

struct SettleMeta {
    name: &'static str,
    value: Vec<u8>,
}

impl Work for SettleMeta {
    type Reply = Vec<u8>;

    async fn run(&self, tx: &Transaction) -> Result<Vec<u8>, Abort> {
        tx.mark_written();
        let values = [META_PART.into(), Value::Text(self.name), Value::Bytes(&self.value)];
        tx.connection.execute(&SETTLE_META, &values).await?;
        let missing = || StoreError::Corrupt { what: format!("store_meta does not keep {}", self.name) };
        Ok(tx.meta(self.name).await?.ok_or_else(missing)?)
    }
}
