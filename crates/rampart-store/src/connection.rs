//! One connection of either engine, with the three things that queries need of it.

use std::sync::{Arc, Mutex};

use crate::statement::{Row, Statement, Value};
use crate::{StoreError, postgres, sqlite};

/// A connection. SQLite answers before the returned future is first left, PostgreSQL pipelines what is polled together.
pub(crate) enum Connection {
    Sqlite(Arc<Mutex<rusqlite::Connection>>),
    Postgres(Arc<postgres::Link>),
}

impl Connection {
    /// All rows of a query.
    pub(crate) async fn query<T>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::query(&sqlite::lock(connection), statement, values, read),
            Self::Postgres(client) => postgres::query(client, statement, values, read).await,
        }
    }

    /// The only row of a query by a unique key.
    pub(crate) async fn query_opt<T>(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(statement, values, read).await?.pop())
    }

    /// Runs a statement that gives no rows; says how many rows it touched.
    pub(crate) async fn execute(
        &self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(&sqlite::lock(connection), statement, values),
            Self::Postgres(client) => postgres::execute(client, statement, values).await,
        }
    }
}
