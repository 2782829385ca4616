//! SQL as data: a named text, the values bound to it, and the rows it gives, the same for both engines.

use bytes::BytesMut;
use rampart_core::TimestampMs;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type};
use uuid::Uuid;

use crate::StoreError;

/// One SQL text in the portable subset. Parameters are `$1`, `$2`, … in the order of their first appearance, so that
/// both engines number them alike.
#[derive(Debug)]
pub struct Statement {
    /// Names it in errors and metrics.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
}

impl Statement {
    pub(crate) const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql }
    }
}

/// A value bound to a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<u32> for Value<'_> {
    fn from(n: u32) -> Self {
        Self::Int(i64::from(n))
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}

impl From<TimestampMs> for Value<'_> {
    fn from(at: TimestampMs) -> Self {
        Self::Int(at.0)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Uuid> for Value<'a> {
    fn from(id: &'a Uuid) -> Self {
        Self::Bytes(id.as_bytes())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) if *ty == Type::INT2 => i16::try_from(*n)?.to_sql(ty, out),
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Self::Int(n) => n.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT2 | Type::INT4 | Type::INT8 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
    }

    tokio_postgres::types::to_sql_checked!();
}

/// What a column of a key holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyKind {
    Int,
    Text,
    Bytes,
}

/// A column of the key after which a page begins.
#[derive(Clone, Debug)]
pub(crate) enum KeyValue {
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl KeyValue {
    /// Before all values of a kind that we store.
    pub(crate) fn least(kind: KeyKind) -> Self {
        match kind {
            // The least that a SMALLINT can be.
            KeyKind::Int => Self::Int(i64::from(i16::MIN)),
            KeyKind::Text => Self::Text(String::new()),
            KeyKind::Bytes => Self::Bytes(Vec::new()),
        }
    }

    pub(crate) fn bound(&self) -> Value<'_> {
        match self {
            Self::Int(n) => Value::Int(*n),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// One row of an answer, of either engine.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| corrupt(column, "is null"))
    }

    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(|e| corrupt(column, e)),
            Self::Postgres(row) => {
                if *row.columns()[column].type_() == Type::INT2 {
                    row.try_get::<_, Option<i16>>(column)
                        .map(|n| n.map(i64::from))
                        .map_err(|e| corrupt(column, e))
                } else {
                    row.try_get(column).map_err(|e| corrupt(column, e))
                }
            }
        }
    }

    pub(crate) fn small(&self, column: usize) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|e| corrupt(column, e))
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: usize) -> Result<TimestampMs, StoreError> {
        self.int(column).map(TimestampMs)
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<TimestampMs>, StoreError> {
        Ok(self.opt_int(column)?.map(TimestampMs))
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.opt_text(column)?.ok_or_else(|| corrupt(column, "is null"))
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|e| corrupt(column, e))?;
                value.as_str_or_null().map_err(|e| corrupt(column, e))
            }
            Self::Postgres(row) => row.try_get(column).map_err(|e| corrupt(column, e)),
        }
    }

    /// A text that parses into a domain type.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, column: usize) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| corrupt(column, "does not parse"))
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column).map_err(|e| corrupt(column, e))?;
                value.as_blob().map_err(|e| corrupt(column, e))
            }
            Self::Postgres(row) => row.try_get(column).map_err(|e| corrupt(column, e)),
        }
    }

    pub(crate) fn uuid(&self, column: usize) -> Result<Uuid, StoreError> {
        Uuid::from_slice(self.bytes(column)?).map_err(|e| corrupt(column, e))
    }

    pub(crate) fn opt_uuid(&self, column: usize) -> Result<Option<Uuid>, StoreError> {
        let null = match self {
            Self::Sqlite(row) => row.get_ref(column).map_err(|e| corrupt(column, e))? == ValueRef::Null,
            Self::Postgres(row) => {
                row.try_get::<_, Option<&[u8]>>(column).map_err(|e| corrupt(column, e))?.is_none()
            }
        };
        if null { Ok(None) } else { self.uuid(column).map(Some) }
    }

    pub(crate) fn key(&self, column: usize, kind: KeyKind) -> Result<KeyValue, StoreError> {
        Ok(match kind {
            KeyKind::Int => KeyValue::Int(self.int(column)?),
            KeyKind::Text => KeyValue::Text(self.text(column)?.to_owned()),
            KeyKind::Bytes => KeyValue::Bytes(self.bytes(column)?.to_vec()),
        })
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(|e| corrupt(column, e))
    }
}

/// A value of ours as the text of a column.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|e| StoreError::Corrupt { what: format!("a column does not serialize: {e}") })
}

pub(crate) fn corrupt(column: usize, why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what: format!("column {column} {why}") }
}
