//! What every engine must do alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rampart_core::access_key::{AccessKey, access_key_id};
use rampart_core::association::Standing;
use rampart_core::resource_share::Tag;
use rampart_core::{Change, Refusal, ResourceShare, ShareArn, TimestampMs, Timing};
use rampart_store::{
    Abort, Options, RememberedAnswer, ShareCursor, ShareScope, Store, StoreError, TokenScope, Transaction,
    Work,
};

use crate::engines::{TestStore, on_both};
use crate::rows::{Apply, OWNER, account, principal, share};

async fn write<W: Work>(store: &Store, owner: &str, work: W) -> Result<W::Reply, Abort> {
    store.write(store.partition_of(account(owner)), work).await
}

async fn load(store: &Store, arn: ShareArn) -> Option<ResourceShare> {
    store.reader().await.unwrap().resource_share(arn).await.unwrap()
}

#[tokio::test]
async fn a_row_comes_back_as_it_was_written() {
    on_both(async |test: TestStore| {
        let tags = vec![Tag { key: "k".to_owned(), value: "ü'\"\\".to_owned() }];
        let wanted = ResourceShare { tags, deleted: Some(TimestampMs(9)), ..share(OWNER, 1) };
        write(&test.store, OWNER, Apply(vec![Change::ShareStored(wanted.clone())])).await.unwrap();
        assert_eq!(load(&test.store, wanted.arn()).await, Some(wanted));
    })
    .await;
}

#[tokio::test]
async fn opening_again_finds_what_was_written_and_migrates_nothing() {
    on_both(async |test: TestStore| {
        write(&test.store, OWNER, Apply(vec![Change::ShareStored(share(OWNER, 1))])).await.unwrap();
        test.store.close().await;
        let (again, migrated) = Store::open(&test.location, Options::default()).await.unwrap();
        assert_eq!(migrated.from, migrated.to);
        assert_eq!(again.page_token_key(), test.store.page_token_key());
        assert_eq!(load(&again, share(OWNER, 1).arn()).await, Some(share(OWNER, 1)));
    })
    .await;
}

/// Writes, then gives up.
struct WriteAndRefuse(Vec<Change>);

impl Work for WriteAndRefuse {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, TimestampMs(1)).await?;
        Err(Refusal::EntitiesMissing.into())
    }
}

/// Writes, then has a bug.
struct WriteAndPanic(Vec<Change>);

impl Work for WriteAndPanic {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, TimestampMs(1)).await?;
        assert_eq!(self.0.len(), 0, "this panic is part of the test");
        Ok(())
    }
}

#[tokio::test]
async fn work_that_is_given_up_leaves_nothing() {
    on_both(async |test: TestStore| {
        let change = || vec![Change::ShareStored(share(OWNER, 1))];
        let refused = write(&test.store, OWNER, WriteAndRefuse(change())).await;
        assert!(matches!(refused, Err(Abort::Refused(Refusal::EntitiesMissing))));
        let panicked = write(&test.store, OWNER, WriteAndPanic(change())).await;
        assert!(matches!(panicked, Err(Abort::Store(StoreError::Panicked))), "{panicked:?}");
        assert_eq!(load(&test.store, share(OWNER, 1).arn()).await, None);
        // The writer lives on.
        write(&test.store, OWNER, Apply(change())).await.unwrap();
        assert!(load(&test.store, share(OWNER, 1).arn()).await.is_some());
    })
    .await;
}

/// Adds one to a share's count of resources: what a lost update would show.
struct Increment {
    arn: ShareArn,
    runs: Arc<AtomicUsize>,
}

impl Work for Increment {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut share = tx.resource_share(self.arn).await?.ok_or(Refusal::EntitiesMissing)?;
        share.contents.resources += 1;
        tx.apply(&[Change::ShareStored(share)], TimestampMs(1)).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_of_a_partition_see_all_that_came_before() {
    on_both(async |test: TestStore| {
        let one = share(OWNER, 1);
        write(&test.store, OWNER, Apply(vec![Change::ShareStored(one.clone())])).await.unwrap();
        let runs = Arc::new(AtomicUsize::new(0));
        let increments = (0..200).map(|_| {
            let (store, arn, runs) = (test.store.clone(), one.arn(), Arc::clone(&runs));
            tokio::spawn(async move { write(&store, OWNER, Increment { arn, runs }).await })
        });
        for increment in increments.collect::<Vec<_>>() {
            increment.await.unwrap().unwrap();
        }
        assert_eq!(load(&test.store, one.arn()).await.unwrap().contents.resources, 200);
        assert!(runs.load(Ordering::Relaxed) >= 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refusal_in_a_batch_leaves_its_neighbours_alone() {
    on_both(async |test: TestStore| {
        let writes = (1..=60_u128).map(|id| {
            let store = test.store.clone();
            tokio::spawn(async move {
                let changes = vec![Change::ShareStored(share(OWNER, id))];
                if id % 3 == 0 {
                    write(&store, OWNER, WriteAndRefuse(changes)).await.is_err()
                } else {
                    write(&store, OWNER, Apply(changes)).await.is_ok()
                }
            })
        });
        for done in writes.collect::<Vec<_>>() {
            assert!(done.await.unwrap());
        }
        for id in 1..=60_u128 {
            assert_eq!(load(&test.store, share(OWNER, id).arn()).await.is_some(), id % 3 != 0, "share {id}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_remembered_answer_is_found_by_its_caller_until_it_expires() {
    /// At that time, for a hundred milliseconds.
    struct Remember(TokenScope, RememberedAnswer, i64);

    impl Work for Remember {
        type Reply = ();

        async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
            let (now, expires) = (TimestampMs(self.2), TimestampMs(self.2 + 100));
            tx.remember_answer(&self.0, &self.1, now, expires).await?;
            Ok(())
        }
    }

    on_both(async |test: TestStore| {
        let scope = TokenScope {
            account: account("222222222222"),
            region: "eu-west-1".parse().unwrap(),
            operation: "AcceptResourceShareInvitation",
            token: "t".to_owned(),
        };
        let answer = RememberedAnswer { request_hash: vec![1, 2], answer: "{}".to_owned() };
        // Written in the partition of another account, as an acceptance is.
        write(&test.store, OWNER, Remember(scope.clone(), answer.clone(), 0)).await.unwrap();
        let reader = test.store.reader().await.unwrap();
        let recalled =
            async |scope: &TokenScope, now| reader.remembered_answers(scope, TimestampMs(now)).await.unwrap();
        assert_eq!(recalled(&scope, 99).await, [answer]);
        assert_eq!(recalled(&scope, 100).await, []);
        let another = TokenScope { account: account(OWNER), ..scope.clone() };
        assert_eq!(recalled(&another, 0).await, []);
        drop(reader);
        // There is one answer to a token, whose partition ever writes it; what is over makes way.
        let other = RememberedAnswer { request_hash: vec![3], answer: "[]".to_owned() };
        for elsewhere in [OWNER, "222222222222", "333333333333"] {
            let refused = write(&test.store, elsewhere, Remember(scope.clone(), other.clone(), 99)).await;
            assert!(matches!(refused, Err(Abort::Store(StoreError::Conflict { .. }))), "{refused:?}");
        }
        write(&test.store, "333333333333", Remember(scope.clone(), other.clone(), 100)).await.unwrap();
        let reader = test.store.reader().await.unwrap();
        assert_eq!(reader.remembered_answers(&scope, TimestampMs(0)).await.unwrap(), [other]);
    })
    .await;
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap() {
    on_both(async |test: TestStore| {
        // Several of one creation time, so that ids decide among them.
        let rows: Vec<_> =
            (1..=23).map(|id| ResourceShare { created: TimestampMs(7), ..share(OWNER, id) }).collect();
        let changes = rows.iter().cloned().map(Change::ShareStored).collect();
        write(&test.store, OWNER, Apply(changes)).await.unwrap();
        let reader = test.store.reader().await.unwrap();
        let (mut after, mut seen) = (ShareCursor::START, Vec::new());
        loop {
            let (owner, region, now) = (account(OWNER), rows[0].region, TimestampMs(50));
            let timing = Timing::default();
            let page = reader.shares(ShareScope::Owned, owner, region, after, now, &timing, 5).await.unwrap();
            let Some(last) = page.last() else { break };
            after = ShareCursor::after(last);
            seen.extend(page);
        }
        assert_eq!(seen, rows);
    })
    .await;
}

#[tokio::test]
async fn a_consumer_sees_what_it_was_granted_whoever_owns_it() {
    on_both(async |test: TestStore| {
        let granted = Standing::Granted { at: TimestampMs(5), invitation: None };
        let ended = Standing::Ended { at: TimestampMs(5) };
        // Owners in many partitions; every third association has ended.
        for n in 1..=9_u128 {
            let owner = format!("{:012}", 500_000_000_000 + n);
            let row = share(&owner, n);
            let standing = if n % 3 == 0 { ended } else { granted };
            let association = principal(&row, "222222222222", standing);
            let changes = vec![Change::ShareStored(row), Change::AssociationStored(association)];
            write(&test.store, &owner, Apply(changes)).await.unwrap();
        }
        let reader = test.store.reader().await.unwrap();
        let (me, region) = (account("222222222222"), "eu-west-1".parse().unwrap());
        let seen = async |now| {
            let (after, timing) = (ShareCursor::START, Timing { settle_delay_ms: 10, ..Timing::default() });
            let now = TimestampMs(now);
            let page = reader.received_grants(me.as_str(), me, region, after, now, &timing, 100).await;
            page.unwrap().iter().map(|received| received.share.id.0.as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(seen(14).await, [] as [u128; 0], "not before it has settled");
        assert_eq!(seen(15).await, [1, 2, 4, 5, 7, 8]);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_key_stays_what_it_was_but_for_that() {
    on_both(async |test: TestStore| {
        let owner = account(OWNER);
        let key = AccessKey {
            id: access_key_id(owner, [1, 2, 3, 4, 5]),
            account: owner,
            user: "ci".to_owned(),
            sealed_secret: vec![0, 255, 7],
            active: true,
            created: TimestampMs(3),
        };
        write(&test.store, OWNER, Apply(vec![Change::AccessKeyStored(key.clone())])).await.unwrap();
        let disabled = AccessKey { active: false, ..key.clone() };
        write(&test.store, OWNER, Apply(vec![Change::AccessKeyStored(disabled.clone())])).await.unwrap();
        let reader = test.store.reader().await.unwrap();
        assert_eq!(reader.access_key(&key.id).await.unwrap(), Some(disabled.clone()));
        assert_eq!(reader.access_keys(owner).await.unwrap(), [disabled]);
        assert_eq!(reader.access_key("AKIAIOSFODNN7EXAMPLE").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_emptied_store_holds_nothing_and_goes_on() {
    on_both(async |test: TestStore| {
        let change = || vec![Change::ShareStored(share(OWNER, 1))];
        write(&test.store, OWNER, Apply(change())).await.unwrap();
        test.store.empty(TimestampMs(3)).await.unwrap();
        assert_eq!(load(&test.store, share(OWNER, 1).arn()).await, None);
        write(&test.store, OWNER, Apply(change())).await.unwrap();
        assert!(load(&test.store, share(OWNER, 1).arn()).await.is_some());
    })
    .await;
}
