//! Which partition an account's state lives in. Fixed for the life of a store.

use rampart_core::AccountId;

/// One partition: its writes happen one after another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct PartitionId(pub(crate) i64);

/// How many partitions a store was created with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partitions(i64);

impl Partitions {
    /// One: SQLite has a single writer anyway.
    pub const SQLITE: Self = Self(1);
    /// The default of a PostgreSQL store.
    pub const POSTGRES_DEFAULT: Self = Self(64);
    /// The most that a store can be created with.
    pub const MAX: i64 = 1024;

    /// `count` partitions, when that is between 1 and [`Self::MAX`].
    pub fn new(count: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&count).then_some(Self(count))
    }

    /// How many.
    pub fn count(self) -> i64 {
        self.0
    }

    /// Where the state of `owner` lives.
    pub fn of(self, owner: AccountId) -> PartitionId {
        let number = owner.as_str().bytes().fold(0_u64, |n, digit| n * 10 + u64::from(digit - b'0'));
        let count = u64::try_from(self.0).expect("a store has between 1 and 1,024 partitions");
        let slot = mix(number) % count;
        PartitionId(i64::try_from(slot).expect("below 1,024"))
    }

    /// All partitions.
    pub(crate) fn all(self) -> impl Iterator<Item = PartitionId> {
        (0..self.0).map(PartitionId)
    }
}

/// The finalizer of SplitMix64: neighbouring account numbers land far apart. It must never change: rows are found by it.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_of_an_account_never_changes() {
        let partitions = Partitions::POSTGRES_DEFAULT;
        let places: Vec<i64> = ["000000000000", "111111111111", "222222222222", "123456789012"]
            .map(|account| partitions.of(account.parse().unwrap()).0)
            .to_vec();
        assert_eq!(places, PINNED, "rows of existing stores would no longer be found");
    }

    const PINNED: [i64; 4] = [47, 40, 11, 54];

    #[test]
    fn neighbours_spread_evenly() {
        let mut rows = [0_u32; 64];
        for n in 0..6400_u64 {
            let account = format!("{:012}", 100_000_000_000 + n).parse().unwrap();
            rows[usize::try_from(Partitions::POSTGRES_DEFAULT.of(account).0).unwrap()] += 1;
        }
        assert!(rows.iter().all(|n| (50..=150).contains(n)), "{rows:?}");
    }
}
