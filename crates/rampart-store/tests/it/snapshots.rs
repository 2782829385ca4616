//! What a reader of an SQLite store sees, though snapshots outlive the reads that they were opened for.

use std::time::{Duration, Instant};

use rampart_core::Change;
use rampart_store::{Location, Options, Store};

use crate::engines;
use crate::rows::{Apply, OWNER, account, share};

async fn store_share(store: &Store, id: u128) {
    let part = store.partition_of(account(OWNER));
    store.write(part, Apply(vec![Change::ShareStored(share(OWNER, id))])).await.unwrap();
}

async fn sees_share(store: &Store, id: u128) -> bool {
    let reader = store.reader().await.unwrap();
    reader.resource_share(share(OWNER, id).arn()).await.unwrap().is_some()
}

#[tokio::test]
async fn a_write_is_seen_by_the_reader_that_comes_next() {
    let test = engines::sqlite().await;
    for id in 1..200 {
        assert!(!sees_share(&test.store, id).await, "{id} is not written yet");
        store_share(&test.store, id).await;
        assert!(sees_share(&test.store, id).await, "{id} is written");
    }
}

#[tokio::test]
async fn a_reader_keeps_what_it_saw_first() {
    let test = engines::sqlite().await;
    let reader = test.store.reader().await.unwrap();
    assert!(reader.resource_share(share(OWNER, 1).arn()).await.unwrap().is_none());
    store_share(&test.store, 1).await;
    assert!(reader.resource_share(share(OWNER, 1).arn()).await.unwrap().is_none(), "it has one snapshot");
    drop(reader);
    assert!(sees_share(&test.store, 1).await, "the old snapshot went with its reader");
}

#[tokio::test]
async fn a_write_of_another_process_is_seen_soon() {
    let test = engines::sqlite().await;
    let (other, _) = Store::open(&test.location, Options::default()).await.unwrap();
    for id in 1..20 {
        assert!(!sees_share(&test.store, id).await);
        store_share(&other, id).await;
        let written = Instant::now();
        while !sees_share(&test.store, id).await {
            assert!(written.elapsed() < Duration::from_secs(10), "{id} is never seen");
        }
    }
}

#[tokio::test]
async fn the_log_starts_anew_beside_readers() {
    const LOG_BYTES_MAX: u64 = 20_000_000;
    let test = engines::sqlite().await;
    let Location::Sqlite(path) = &test.location else { panic!("an SQLite store") };
    let log = path.with_extension("db-wal");
    for batch in 0..60 {
        // Enough to fill several logs, were each kept.
        let part = test.store.partition_of(account(OWNER));
        let shares = (1..300).map(|id| Change::ShareStored(share(OWNER, batch * 1_000 + id * 7_919)));
        test.store.write(part, Apply(shares.collect())).await.unwrap();
        assert!(!sees_share(&test.store, 1).await);
    }
    let bytes = std::fs::metadata(log).unwrap().len();
    assert!(bytes < LOG_BYTES_MAX, "the log has {bytes} bytes");
}
