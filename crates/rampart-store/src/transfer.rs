//! The whole store as lines of JSON, and back: from one engine to another, from one number of partitions to another.
//!
//! The first line says what follows, the last how many rows there were: a file that was cut off is not taken for whole.
//! Between them stand the store's own settings, the rows, as the changes that would write them, and the answers remembered
//! for client tokens. Secrets are as in the store, sealed under its master key.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use rampart_core::access_key::AccessKey;
use rampart_core::change::CHANGE_FORMAT;
use rampart_core::{Change, TimestampMs};
use serde::{Deserialize, Serialize};

use crate::snapshot::TABLES;
use crate::tables::client_token::StoredToken;
use crate::{Abort, PartitionId, Snapshot, Store, StoreError, Transaction, Work};

/// The form of the lines. Raised when a reader of the old form would misread the new one.
const EXPORT_FORMAT: u32 = 1;
/// Rows written by one transaction.
const ROWS_AT_ONCE: usize = 500;
/// The setting that tells how far an import came.
const IMPORT: &str = "import";
const BEGUN: &[u8] = b"begun";
const DONE: &[u8] = b"done";

/// What a line says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Rampart {
        export_format: u32,
        change_format: u32,
        exported: TimestampMs,
    },
    Setting {
        name: String,
        value: Vec<u8>,
    },
    Row(Change),
    /// The change log leaves out what is secret, though it is sealed.
    AccessKey {
        key: AccessKey,
        sealed_secret: Vec<u8>,
    },
    Token(StoredToken),
    End {
        rows: u64,
    },
}

/// How far an export or an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that are done.
    pub rows: u64,
    /// Steps that are done: of an export tables of partitions, of an import bytes.
    pub done: u64,
    /// Steps that there are; 0 when that is not known.
    pub of: u64,
}

/// Why an export or an import failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lines cannot be written or read.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line is not what an export writes.
    #[error("line {line}: {why}")]
    Line {
        /// The first is 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The store holds something already.
    #[error("the store is not empty: import into a new one")]
    NotEmpty,
    /// The last line is missing or counts other rows.
    #[error("the file is not whole: it was cut off, or an export is still being written to it")]
    CutOff,
}

impl From<Abort> for TransferError {
    fn from(abort: Abort) -> Self {
        match abort {
            Abort::Store(error) => Self::Store(error),
            Abort::Refused(refusal) => {
                Self::Store(StoreError::Corrupt { what: format!("an import was refused: {refusal:?}") })
            }
        }
    }
}

impl Snapshot {
    /// Writes all that the store holds to `out`, and tells `progress` after every page.
    pub async fn export(
        &self,
        exported: TimestampMs,
        out: &mut impl Write,
        mut progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        let header = Line::Rampart { export_format: EXPORT_FORMAT, change_format: CHANGE_FORMAT, exported };
        write_line(out, &header)?;
        for (name, value) in self.reader().settings().await? {
            if name != IMPORT {
                write_line(out, &Line::Setting { name, value })?;
            }
        }
        let mut so_far = Progress::default();
        for part in self.partitions() {
            let mut rows = self.partition(part).await?;
            so_far.of = self.partitions().count() as u64 * TABLES;
            let before = so_far.done;
            while let Some(page) = rows.next().await? {
                for row in page {
                    write_line(out, &line_of(row))?;
                    so_far.rows += 1;
                }
                so_far.done = before + rows.tables_done();
                progress(so_far);
            }
            so_far.done = before + TABLES;
            let mut after = None;
            loop {
                let tokens = self.reader().client_tokens(part, after.as_ref()).await?;
                let Some(last) = tokens.last() else { break };
                after = Some(last.clone());
                for token in tokens {
                    write_line(out, &Line::Token(token))?;
                    so_far.rows += 1;
                }
            }
        }
        write_line(out, &Line::End { rows: so_far.rows })?;
        out.flush()?;
        progress(so_far);
        Ok(so_far.rows)
    }
}

fn line_of(row: Change) -> Line {
    match row {
        Change::AccessKeyStored(key) => Line::AccessKey { sealed_secret: key.sealed_secret.clone(), key },
        row => Line::Row(row),
    }
}

fn write_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

impl Store {
    /// Whether an import into this store was broken off: what it holds is not all.
    pub async fn is_half_imported(&self) -> Result<bool, StoreError> {
        Ok(self.reader().await?.meta(IMPORT).await?.is_some_and(|state| state == BEGUN))
    }

    /// Takes in what [`Snapshot::export`] wrote. The store must be empty, and is not to be used before this is done.
    ///
    /// # Errors
    /// What stands in lines before a wrong one has been taken in by then.
    pub async fn import(
        &self,
        lines: &mut impl BufRead,
        now: TimestampMs,
        mut progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        if !self.is_empty().await? {
            return Err(TransferError::NotEmpty);
        }
        self.set_meta(IMPORT, BEGUN).await?;
        let mut import = Import { store: self, now, waiting: BTreeMap::new() };
        let (mut text, mut so_far, mut number, mut end) = (String::new(), Progress::default(), 0, None);
        loop {
            text.clear();
            let read = lines.read_line(&mut text)?;
            if read == 0 {
                break;
            }
            number += 1;
            so_far.done += read as u64;
            let wrong = |why: String| TransferError::Line { line: number, why };
            if end.is_some() {
                return Err(wrong("something follows the last line".to_owned()));
            }
            let line: Line = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            match (number, line) {
                (1, Line::Rampart { export_format, change_format, .. }) => {
                    if export_format > EXPORT_FORMAT || change_format > CHANGE_FORMAT {
                        return Err(wrong("a newer rampart wrote it: import it with that one".to_owned()));
                    }
                }
                (1, _) | (_, Line::Rampart { .. }) => {
                    return Err(wrong("this is not how an export begins".to_owned()));
                }
                (_, Line::Setting { name, value }) => self.set_meta(&name, &value).await?,
                (_, Line::Row(change)) => {
                    let owner = change.owner().ok_or_else(|| wrong("this is no row".to_owned()))?;
                    import.row(self.partition_of(owner), change).await?;
                    so_far.rows += 1;
                }
                (_, Line::AccessKey { key, sealed_secret }) => {
                    let key = AccessKey { sealed_secret, ..key };
                    import.row(self.partition_of(key.account), Change::AccessKeyStored(key)).await?;
                    so_far.rows += 1;
                }
                (_, Line::Token(token)) => {
                    import.token(self.partition_of(token.account), token).await?;
                    so_far.rows += 1;
                }
                (_, Line::End { rows }) => end = Some(rows),
            }
            if so_far.rows % ROWS_AT_ONCE as u64 == 0 {
                progress(so_far);
            }
        }
        if end != Some(so_far.rows) {
            return Err(TransferError::CutOff);
        }
        import.finish().await?;
        self.set_meta(IMPORT, DONE).await?;
        progress(so_far);
        Ok(so_far.rows)
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        let snapshot = self.snapshot().await?;
        for part in snapshot.partitions() {
            if snapshot.partition(part).await?.next().await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What was read and is not written yet, by partition.
struct Import<'a> {
    store: &'a Store,
    now: TimestampMs,
    waiting: BTreeMap<PartitionId, Batch>,
}

#[derive(Clone, Default)]
struct Batch {
    rows: Vec<Change>,
    tokens: Vec<StoredToken>,
}

impl Import<'_> {
    async fn row(&mut self, part: PartitionId, row: Change) -> Result<(), TransferError> {
        // What orders a removal concerns rows that came before it.
        let alone = row.removes();
        if alone {
            self.write(part).await?;
        }
        let batch = self.waiting.entry(part).or_default();
        batch.rows.push(row);
        if alone || batch.rows.len() == ROWS_AT_ONCE {
            self.write(part).await?;
        }
        Ok(())
    }

    async fn token(&mut self, part: PartitionId, token: StoredToken) -> Result<(), TransferError> {
        let batch = self.waiting.entry(part).or_default();
        batch.tokens.push(token);
        if batch.tokens.len() == ROWS_AT_ONCE {
            self.write(part).await?;
        }
        Ok(())
    }

    async fn write(&mut self, part: PartitionId) -> Result<(), TransferError> {
        let Some(batch) = self.waiting.remove(&part) else { return Ok(()) };
        Ok(self.store.write(part, TakeIn { batch, now: self.now }).await?)
    }

    async fn finish(mut self) -> Result<(), TransferError> {
        while let Some(part) = self.waiting.keys().next().copied() {
            self.write(part).await?;
        }
        Ok(())
    }
}

struct TakeIn {
    batch: Batch,
    now: TimestampMs,
}

impl Work for TakeIn {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.batch.rows, self.now).await?;
        for token in &self.batch.tokens {
            tx.store_token(token).await?;
        }
        Ok(())
    }
}
