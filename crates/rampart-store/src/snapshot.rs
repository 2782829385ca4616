//! All rows of the store as of one moment, while others go on writing: what a follower begins with that is too far
//! behind, and what is exported.

use rampart_core::Change;

use crate::statement::{KeyValue, Value};
use crate::store::Reader;
use crate::tables::snapshot::{NOUNS, Noun};
use crate::{LogPosition, PartitionId, StoreError};

/// Rows of a page.
const PAGE: u32 = 500;

/// How many tables there are to be read of each partition.
pub(crate) const TABLES: u64 = NOUNS.len() as u64;

/// A view of the whole store at one moment, on both engines.
pub struct Snapshot {
    reader: Reader,
}

impl Snapshot {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// What can be read of it besides all rows.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// All partitions of the store.
    pub fn partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        self.reader().partitions.all()
    }

    /// The rows of a partition.
    pub async fn partition(&self, part: PartitionId) -> Result<PartitionRows<'_>, StoreError> {
        let reader = self.reader();
        let seq = reader.log_head(part).await?.seq;
        let nouns = NOUNS.iter();
        Ok(PartitionRows { reader, part, position: LogPosition::end_of(seq), nouns, now: None })
    }
}

/// The rows of a partition, a page after the other.
pub struct PartitionRows<'a> {
    reader: &'a Reader,
    part: PartitionId,
    position: LogPosition,
    nouns: std::slice::Iter<'static, Noun>,
    /// The table that is being read, and the key of the last row seen.
    now: Option<(&'static Noun, Vec<KeyValue>)>,
}

impl PartitionRows<'_> {
    /// Up to where in the partition's log the rows are what was done.
    pub fn position(&self) -> LogPosition {
        self.position
    }

    /// How many of these have been read.
    pub(crate) fn tables_done(&self) -> u64 {
        TABLES - self.nouns.len() as u64 - u64::from(self.now.is_some())
    }

    /// The next rows, as the changes that would write them; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<Change>>, StoreError> {
        loop {
            let (noun, after) = match self.now.take() {
                Some(now) => now,
                None => match self.nouns.next() {
                    Some(noun) => (noun, noun.key.iter().map(|(_, kind)| KeyValue::least(*kind)).collect()),
                    None => return Ok(None),
                },
            };
            let rows = self.page(noun, &after).await?;
            if rows.len() == usize::try_from(PAGE).expect("a page is small") {
                self.now = rows.last().map(|(_, key)| (noun, key.clone()));
            }
            if !rows.is_empty() {
                return Ok(Some(rows.into_iter().flat_map(|(row, _)| with_index(row)).collect()));
            }
        }
    }

    async fn page(
        &self,
        noun: &'static Noun,
        after: &[KeyValue],
    ) -> Result<Vec<(Change, Vec<KeyValue>)>, StoreError> {
        let part: Value<'_> = self.part.0.into();
        let values: Vec<_> =
            std::iter::once(part).chain(after.iter().map(KeyValue::bound)).chain([PAGE.into()]).collect();
        let read = |row: &crate::statement::Row<'_>| {
            let key = noun.key.iter().map(|(column, kind)| row.key(*column, *kind));
            Ok(((noun.read)(row)?, key.collect::<Result<_, StoreError>>()?))
        };
        self.reader.connection.query(noun.page, &values, read).await
    }
}

/// A share's tags are a change of their own besides, which keeps their index.
fn with_index(row: Change) -> impl Iterator<Item = Change> {
    let tags = match &row {
        Change::ShareStored(share) if !share.tags.is_empty() => Some(Change::ShareTagged {
            owner: share.owner,
            region: share.region,
            share: share.id,
            share_created: share.created,
            added: share.tags.clone(),
            removed: Vec::new(),
        }),
        _ => None,
    };
    std::iter::once(row).chain(tags)
}
