//! A fresh store of either engine.

use rampart_store::{Location, Options, Store};
use rampart_testkit::postgres::{PostgresCluster, TestDatabase};

/// A store that goes with the value.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) location: Location,
    place: Place,
}

impl TestStore {
    /// Changes the tables past the store.
    pub(crate) fn sql(&self, text: &str) {
        match (&self.location, &self.place) {
            (Location::Sqlite(path), _) => {
                rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
            }
            (_, Place::Postgres(database)) => drop(database.sql(text).unwrap()),
            (location, Place::Sqlite(_)) => panic!("{location} is no file"),
        }
    }
}

enum Place {
    Sqlite(#[expect(dead_code, reason = "keeps the folder")] tempfile::TempDir),
    Postgres(TestDatabase),
}

pub(crate) async fn sqlite() -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("test.db"));
    open(location, Place::Sqlite(folder)).await
}

pub(crate) async fn postgres() -> TestStore {
    let cluster = PostgresCluster::shared().unwrap_or_else(|error| panic!("{error}"));
    let database = cluster.create_database().unwrap();
    let location = database.url().parse().unwrap();
    open(location, Place::Postgres(database)).await
}

async fn open(location: Location, place: Place) -> TestStore {
    let (store, migrated) = Store::open(&location, Options::default()).await.unwrap();
    assert_eq!(migrated.from, 0);
    TestStore { store, location, place }
}

/// Runs one test on both engines.
pub(crate) async fn on_both<F: Future<Output = ()>>(test: impl Fn(TestStore) -> F) {
    test(sqlite().await).await;
    test(postgres().await).await;
}
