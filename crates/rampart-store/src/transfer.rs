//! The whole store as lines of JSON, and back: from one engine to another, from one number of partitions to another.
//!
//! The first line says what follows, the last how many rows there were: a file that was cut off is not taken for whole.
//! Between them stand the store's own settings, the rows, as the changes that would write them, and the answers remembered
//! for client tokens. Secrets are as in the store, sealed under its master key.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use rampart_core::access_key::AccessKey;
use rampart_core::change::CHANGE_FORMAT;
use rampart_core::{Change, TimestampMs};
use serde::{Deserialize, Serialize};

use crate::migrations::{META_PART, WRITE_META};
use crate::snapshot::TABLES;
use crate::statement::Value;
use crate::tables::client_token::StoredToken;
use crate::tables::lease::{BACKGROUND, Lease};
use crate::{Abort, PartitionId, Snapshot, Store, StoreError, Transaction, Work};

/// The form of the lines. Raised when a reader of the old form would misread the new one.
const EXPORT_FORMAT: u32 = 1;
/// Rows written by one transaction.
const ROWS_AT_ONCE: usize = 500;
/// The setting that tells how far an import came.
const IMPORT: &str = "import";
const BEGUN: &[u8] = b"begun";
const DONE: &[u8] = b"done";
/// A lease that has not moved for so long is nobody's any more.
const LEASE_LASTS: Duration = Duration::from_secs(4);
const LEASE_LOOK: Duration = Duration::from_millis(100);

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
    #[error("the store is not empty: import into a new one, a database or a file of its own")]
    NotEmpty,
    /// Another import is under way, or one was broken off.
    #[error(
        "an import into this store is under way, or was broken off: drop the database or delete the file, then import into a new one"
    )]
    Begun,
    /// A node serves the store: what it writes would be mixed with what is imported.
    #[error("a node serves this store: stop all that do, then import")]
    Served,
    /// Not what an export writes, from the first line on.
    #[error("this is no export of rampart's: its first line says something else (is the file compressed?)")]
    NoExport,
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
        progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        self.write_lines(exported, out, progress).await.map_err(|error| match error {
            // Nothing was written that could have met other writers.
            TransferError::Store(StoreError::Conflict { .. }) => {
                TransferError::Store(StoreError::unavailable("the connection to it was lost"))
            }
            error => error,
        })
    }

    async fn write_lines(
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

    /// Takes in what [`Snapshot::export`] wrote. The store must be empty, and nobody may serve it before this is done.
    ///
    /// # Errors
    /// What stands in lines before a wrong one may have been taken in by then; [`Self::is_half_imported`] says whether.
    pub async fn import(
        &self,
        lines: &mut impl BufRead,
        now: TimestampMs,
        progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        if !self.is_empty().await? {
            return Err(if self.is_half_imported().await? {
                TransferError::Begun
            } else {
                TransferError::NotEmpty
            });
        }
        // From now on no node starts on this store, and no other import.
        if !self.write(PartitionId(META_PART), Begin).await? {
            return Err(TransferError::Begun);
        }
        let mut import = Import { store: self, now, waiting: BTreeMap::new(), has_written: false };
        let taken_in = import.alone(lines, progress).await;
        // What left nothing behind was no import.
        if taken_in.is_ok() || !import.has_written {
            self.set_meta(IMPORT, DONE).await?;
        }
        taken_in
    }

    /// The lease of the nodes, if none of them holds it.
    async fn unheld_lease(&self) -> Result<Option<Lease>, TransferError> {
        let (first, began) = (self.lease().await?, Instant::now());
        while first.is_some_and(|lease| lease.held) && began.elapsed() < LEASE_LASTS {
            wait_for_beat().await;
            if self.lease().await? != first {
                return Err(TransferError::Served);
            }
        }
        Ok(first)
    }

    async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        self.reader().await?.lease(BACKGROUND).await
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

#[expect(clippy::disallowed_methods, reason = "that nobody does something is known by waiting for it")]
async fn wait_for_beat() {
    tokio::time::sleep(LEASE_LOOK).await;
}

/// Marks a store as one that an import is under way into; says whether none was.
struct Begin;

impl Work for Begin {
    type Reply = bool;

    async fn run(&self, tx: &Transaction) -> Result<bool, Abort> {
        if tx.meta(IMPORT).await?.is_some_and(|state| state == BEGUN) {
            return Ok(false);
        }
        tx.mark_written();
        let values = [META_PART.into(), Value::Text(IMPORT), Value::Bytes(BEGUN)];
        tx.connection.execute(&WRITE_META, &values).await?;
        Ok(true)
    }
}

/// What was read and is not written yet, by partition.
struct Import<'a> {
    store: &'a Store,
    now: TimestampMs,
    waiting: BTreeMap<PartitionId, Batch>,
    has_written: bool,
}

#[derive(Clone, Default)]
struct Batch {
    rows: Vec<Change>,
    tokens: Vec<StoredToken>,
}

impl Import<'_> {
    /// Takes in all lines while no node serves the store.
    async fn alone(
        &mut self,
        lines: &mut impl BufRead,
        progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        let lease = self.store.unheld_lease().await?;
        let rows = self.take_in(lines, progress).await?;
        // One that was about to begin when the import did has seen nothing of it.
        if self.store.lease().await? != lease {
            return Err(TransferError::Served);
        }
        Ok(rows)
    }

    async fn take_in(
        &mut self,
        lines: &mut impl BufRead,
        mut progress: impl FnMut(Progress),
    ) -> Result<u64, TransferError> {
        let (mut text, mut so_far, mut number, mut end) = (String::new(), Progress::default(), 0, None);
        loop {
            text.clear();
            let read = lines.read_line(&mut text).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData if number == 0 => TransferError::NoExport,
                _ => error.into(),
            })?;
            if read == 0 {
                break;
            }
            number += 1;
            so_far.done += read as u64;
            let wrong = |why: String| TransferError::Line { line: number, why };
            if end.is_some() {
                return Err(wrong("something follows the last line".to_owned()));
            }
            let line = serde_json::from_str(&text).map_err(|error| match number {
                _ if error.is_eof() && !text.ends_with('\n') => TransferError::CutOff,
                1 => TransferError::NoExport,
                _ => wrong(without_place(&error)),
            })?;
            match (number, line) {
                (1, Line::Rampart { export_format, change_format, .. }) => {
                    if export_format > EXPORT_FORMAT || change_format > CHANGE_FORMAT {
                        return Err(wrong("a newer rampart wrote it: import it with that one".to_owned()));
                    }
                }
                (1, _) => return Err(TransferError::NoExport),
                (_, Line::Rampart { .. }) => return Err(wrong("another export begins here".to_owned())),
                (_, Line::Setting { name, value }) => self.store.set_meta(&name, &value).await?,
                (_, Line::Row(change)) => {
                    let owner = change.owner().ok_or_else(|| wrong("this is no row".to_owned()))?;
                    self.row(self.store.partition_of(owner), change).await?;
                    so_far.rows += 1;
                }
                (_, Line::AccessKey { key, sealed_secret }) => {
                    let key = AccessKey { sealed_secret, ..key };
                    self.row(self.store.partition_of(key.account), Change::AccessKeyStored(key)).await?;
                    so_far.rows += 1;
                }
                (_, Line::Token(token)) => {
                    self.token(self.store.partition_of(token.account), token).await?;
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
        self.finish().await?;
        progress(so_far);
        Ok(so_far.rows)
    }

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
        self.has_written = true;
        Ok(self.store.write(part, TakeIn { batch, now: self.now }).await?)
    }

    async fn finish(&mut self) -> Result<(), TransferError> {
        while let Some(part) = self.waiting.keys().next().copied() {
            self.write(part).await?;
        }
        Ok(())
    }
}

/// What is wrong with a line, without the line and column that are the parser's own.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
    format!("column {}: {why}", error.column())
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
