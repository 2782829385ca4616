//! Leases: one holder at a time, and no write of one who was succeeded.

use rampart_core::{Change, Refusal};
use rampart_store::{Abort, Fence, Lease, Store, StoreError, Transaction, Work};
use uuid::Uuid;

use crate::engines::{TestStore, on_both};
use crate::rows::{Apply, OWNER, account, share};

const NAME: &str = "work";
const A: Uuid = Uuid::from_u128(1);
const B: Uuid = Uuid::from_u128(2);

async fn seen(store: &Store) -> Option<Lease> {
    store.reader().await.unwrap().lease(NAME).await.unwrap()
}

async fn write(store: &Store, fence: Fence, number: u128) -> Result<(), Abort> {
    let work = Apply(vec![Change::ShareStored(share(OWNER, number))]);
    store.write_fenced(fence, store.partition_of(account(OWNER)), work).await
}

/// Work that the rules do not allow.
struct Refuse;

impl Work for Refuse {
    type Reply = ();

    async fn run(&self, _: &Transaction) -> Result<(), Abort> {
        Err(Refusal::ResourceTypeNotForIdentities.into())
    }
}

fn is_fenced<T>(outcome: &Result<T, Abort>) -> bool {
    matches!(outcome, Err(Abort::Store(StoreError::Fenced { lease: NAME })))
}

#[tokio::test]
async fn a_lease_has_one_holder_at_a_time() {
    on_both(async |test: TestStore| {
        let store = &test.store;
        assert_eq!(seen(store).await, None);
        // Both saw it free; one comes first.
        let first = store.take_lease(NAME, A, None).await.unwrap().unwrap();
        assert!(store.take_lease(NAME, B, None).await.unwrap().is_none());
        // Who did not hear that it took it asks again.
        assert_eq!(store.take_lease(NAME, A, None).await.unwrap(), Some(first));
        // Who saw it before it was renewed saw nothing stall.
        let before = seen(store).await;
        assert!(store.renew_lease(first).await.unwrap());
        assert!(store.take_lease(NAME, B, before).await.unwrap().is_none());
        let second = store.take_lease(NAME, B, seen(store).await).await.unwrap().unwrap();
        assert!(second.term() > first.term());
        assert!(store.take_lease(NAME, A, None).await.unwrap().is_none());
        assert!(!store.renew_lease(first).await.unwrap());
        // Nor does the first give back what is the second's.
        store.release_lease(first).await.unwrap();
        assert!(seen(store).await.is_some_and(|lease| lease.held && lease.holder == B));
        store.release_lease(second).await.unwrap();
        assert!(seen(store).await.is_some_and(|lease| !lease.held));
        assert!(!store.renew_lease(second).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn who_was_succeeded_writes_nothing_any_more() {
    on_both(async |test: TestStore| {
        let store = &test.store;
        let first = store.take_lease(NAME, A, None).await.unwrap().unwrap();
        write(store, first, 1).await.unwrap();
        let second = store.take_lease(NAME, B, seen(store).await).await.unwrap().unwrap();
        // What comes before the second's first write there, that one finds.
        write(store, first, 2).await.unwrap();
        write(store, second, 3).await.unwrap();
        assert!(is_fenced(&write(store, first, 4).await));
        // So it is also when that write had nothing to do, and not when it was refused.
        let third = store.take_lease(NAME, A, seen(store).await).await.unwrap().unwrap();
        let refused = Refuse;
        let part = store.partition_of(account(OWNER));
        assert!(matches!(store.write_fenced(third, part, refused).await, Err(Abort::Refused(_))));
        write(store, second, 5).await.unwrap();
        store.write_fenced(third, part, Apply(Vec::new())).await.unwrap();
        assert!(is_fenced(&write(store, second, 6).await));
        let reader = store.reader().await.unwrap();
        for (number, there) in [(1, true), (2, true), (3, true), (4, false), (5, true), (6, false)] {
            let row = reader.resource_share(share(OWNER, number).arn()).await.unwrap();
            assert_eq!(row.is_some(), there, "share {number}");
        }
    })
    .await;
}
