//! The columns of `log_head` beside its position: up to where in a partition's log nothing changed of who its callers are
//! and what they may do. Whoever keeps a caller in memory compares this with what it was before the caller was read.
//!
//! A build of before these columns counts the position up and leaves the rest as it is. So that its writes are noticed all
//! the same, every taking of the head row that knows of the columns counts `told`, too: what the position is ahead of it
//! are writes that may have changed anything.
//!
//! Where a standby took over that did not have all, the position counts up from an earlier one and may come to be the same
//! again with other writes: beside it stands the mark of the write that raised it, which none other has.
//!
//! Changes say by themselves whether they bear on callers. What is written past them (answers for client tokens, what remains
//! of organizations that are no more, requests and events past their retention) is read of no caller.

use rampart_core::AccountId;
use rampart_core::change::Bearing;

use crate::statement::{Row, Statement};
use crate::store::Reader;
use crate::{PartitionId, Partitions, StoreError, Transaction};

static READ: Statement = Statement::new(
    "log_head.caller_versions",
    "SELECT part, seq, told, callers_seq, callers_mark, members_seq, members_mark FROM log_head WHERE part >= $1
     ORDER BY part LIMIT 1024",
);
static RAISE: Statement = Statement::new(
    "log_head.raise_callers",
    "UPDATE log_head SET callers_seq = seq, callers_mark = mark WHERE part = $1",
);
static RAISE_MEMBERS: Statement = Statement::new(
    "log_head.raise_members",
    "UPDATE log_head SET callers_seq = seq, callers_mark = mark, members_seq = seq, members_mark = mark
     WHERE part = $1",
);

pub(crate) static STATEMENTS: &[&Statement] = &[&READ, &RAISE, &RAISE_MEMBERS];

/// The versions of all callers at one moment.
#[derive(Clone, Debug)]
pub struct CallerVersions {
    partitions: Partitions,
    /// By partition.
    callers: Vec<Version>,
    /// Who is in an organization, over all partitions.
    members: Version,
}

/// How far something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    seq: i64,
    mark: i64,
}

/// The version of one caller: while it is the same, whatever was read of the caller after it is what stands in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerVersion {
    account: Version,
    organization: Version,
}

impl CallerVersions {
    /// The version of the callers of an account that is in the organization of `management`, or in none: of one in none it
    /// is not known where it will come into one.
    pub fn of(&self, account: AccountId, management: Option<AccountId>) -> CallerVersion {
        let organization = management.map_or(self.members, |management| self.of_partition(management));
        CallerVersion { account: self.of_partition(account), organization }
    }

    fn of_partition(&self, account: AccountId) -> Version {
        let PartitionId(part) = self.partitions.of(account);
        self.callers[usize::try_from(part).expect("below 1,024")]
    }
}

/// What a head row says.
struct Head {
    part: i64,
    callers: Version,
    members: Version,
}

impl Reader {
    /// The versions of all callers: one read.
    pub async fn caller_versions(&self) -> Result<CallerVersions, StoreError> {
        let heads = self.connection.query(&READ, &[0_i64.into()], read_head).await?;
        let parts = heads.iter().map(|head| head.part);
        if !parts.eq(self.partitions.all().map(|part| part.0)) {
            return Err(StoreError::Corrupt { what: "a partition has no head row".to_owned() });
        }
        // Each only ever grows, or has another mark: so sums tell whether any did.
        let members = heads.iter().map(|head| head.members).fold(Version { seq: 0, mark: 0 }, |sum, one| {
            Version { seq: sum.seq + one.seq, mark: sum.mark.wrapping_add(one.mark) }
        });
        let callers = heads.iter().map(|head| head.callers).collect();
        Ok(CallerVersions { partitions: self.partitions, callers, members })
    }
}

impl Transaction {
    /// Says in the partition's head row, which is ours by now, what the changes of this transaction mean for callers.
    pub(crate) async fn tell_callers(&self, bearing: Bearing) -> Result<(), StoreError> {
        let statement = match bearing {
            Bearing::Nothing => return Ok(()),
            Bearing::Callers => &RAISE,
            Bearing::Members => &RAISE_MEMBERS,
        };
        self.connection.execute(statement, &[self.part().0.into()]).await.map(drop)
    }
}

fn read_head(row: &Row<'_>) -> Result<Head, StoreError> {
    // Writes of builds that do not tell.
    let untold = row.int(1)? - row.opt_int(2)?.unwrap_or_default();
    let version = |seq, mark| {
        let (seq, mark) = (row.opt_int(seq)?.unwrap_or_default(), row.opt_int(mark)?.unwrap_or_default());
        Ok::<_, StoreError>(Version { seq: seq + untold, mark })
    };
    Ok(Head { part: row.int(0)?, callers: version(3, 4)?, members: version(5, 6)? })
}
