//! How a PostgreSQL store comes to have its tables when several nodes start, and while one serves.

use std::time::Duration;

use futures_util::future::join_all;
use rampart_core::Change;
use rampart_store::{Location, Options, SCHEMA_VERSION, Store, StoreError};
use rampart_testkit::postgres::{PostgresCluster, TestDatabase};
use tokio::time::timeout;

use crate::rows::{Apply, OWNER, account, share};

fn new_database() -> (TestDatabase, Location) {
    let database = PostgresCluster::shared().unwrap().create_database().unwrap();
    let location = database.url().parse().unwrap();
    (database, location)
}

async fn open(location: &Location) -> (Store, rampart_store::Migrated) {
    Store::open(location, Options::default()).await.unwrap()
}

/// Makes the store one of an earlier build: it takes some steps anew.
fn set_back(database: &TestDatabase, steps: i64) {
    let version = SCHEMA_VERSION - steps;
    let sql = format!(
        "UPDATE store_meta SET value = decode('{version:016x}', 'hex') WHERE name = 'schema_version'"
    );
    database.sql(&sql).unwrap();
}

fn indexes(database: &TestDatabase) -> String {
    let all = "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' ORDER BY 1";
    database.sql(all).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nodes_that_start_at_once_one_makes_the_tables_and_all_write_at_once() {
    let (_database, location) = new_database();
    let opened = join_all((0..4_u128).map(async |number| {
        let (store, migrated) = open(&location).await;
        let work = Apply(vec![Change::ShareStored(share(OWNER, number))]);
        store.write(store.partition_of(account(OWNER)), work).await.unwrap();
        (store, migrated)
    }))
    .await;
    let makers = opened.iter().filter(|(_, migrated)| migrated.from == 0).count();
    assert_eq!(makers, 1);
    let key = opened[0].0.page_token_key();
    assert!(
        opened
            .iter()
            .all(|(store, migrated)| { store.page_token_key() == key && migrated.to == SCHEMA_VERSION })
    );
}

#[tokio::test]
async fn who_may_not_make_tables_serves_those_that_are_there() {
    let (database, location) = new_database();
    let role = format!("server_of_{}", database.name());
    database.sql(&format!("CREATE ROLE {role} LOGIN")).unwrap();
    let of_role = database.url().replace("user=postgres", &format!("user={role}"));
    assert_ne!(of_role, database.url());
    let of_role: Location = of_role.parse().unwrap();
    let refused = Store::open(&of_role, Options::default()).await.err().unwrap();
    assert!(matches!(refused, StoreError::Unusable { .. }), "{refused}");
    assert!(refused.to_string().contains("`rampart migrate` as one that may"), "{refused}");
    let (made, _) = open(&location).await;
    made.close().await;
    database
        .sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
        .unwrap();
    let (store, _) = open(&of_role).await;
    let work = Apply(vec![Change::ShareStored(share(OWNER, 1))]);
    store.write(store.partition_of(account(OWNER)), work).await.unwrap();
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_waits_for_the_one_that_takes_the_steps() {
    let (database, location) = new_database();
    open(&location).await.0.close().await;
    let whole = indexes(&database);
    set_back(&database, SCHEMA_VERSION - 1);
    database.sql("DROP INDEX association_by_type").unwrap();
    let before = indexes(&database);
    // Another node is at it.
    let (other, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let hold = "BEGIN; UPDATE store_meta SET value = value WHERE name = 'migration_lock'";
    other.batch_execute(hold).await.unwrap();
    let mut opening = std::pin::pin!(open(&location));
    // For longer than a statement may wait for a lock.
    assert!(timeout(Duration::from_secs(6), &mut opening).await.is_err());
    assert_eq!(indexes(&database), before);
    // It dies; what it had not done is done.
    drop(other);
    connection.await.unwrap().unwrap();
    let (_, migrated) = opening.await;
    assert_eq!((migrated.from, migrated.to), (1, SCHEMA_VERSION));
    assert_ne!(before, whole);
    assert_eq!(indexes(&database), whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_goes_on_writing_while_another_takes_the_steps() {
    let (database, location) = new_database();
    let (serving, _) = open(&location).await;
    let before = indexes(&database);
    // Half made by a start that was broken off.
    database
        .sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'association_by_type'::regclass")
        .unwrap();
    set_back(&database, SCHEMA_VERSION - 1);
    let writer = tokio::spawn(async move {
        let mut number = 0_u128;
        loop {
            number += 1;
            let work = Apply(vec![Change::ShareStored(share(OWNER, number))]);
            serving.write(serving.partition_of(account(OWNER)), work).await.unwrap();
            // Written when all is done.
            let version = serving.reader().await.unwrap().meta("schema_version").await.unwrap();
            if version.as_deref() == Some(SCHEMA_VERSION.to_be_bytes().as_slice()) {
                return number;
            }
        }
    });
    let (_, migrated) = open(&location).await;
    assert_eq!((migrated.from, migrated.to), (1, SCHEMA_VERSION));
    let written = writer.await.unwrap();
    assert!(written > 10, "hardly anything was written meanwhile: {written}");
    // All there, and all of use.
    assert_eq!(indexes(&database), before);
    assert!(!before.contains("|f"), "{before}");
}
