//! A server without sockets, on an SQLite store in a temporary directory, and its change log.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use rampart_core::{Change, TimestampMs};
use rampart_server::operations::Operation;
use rampart_server::{App, AuthMode, Entropy, Settings, background, in_process};
use rampart_store::{Follow, Follower, Location, LogEntry, MasterKey, Options, PartitionId, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The Region of all calls.
const REGION: &str = "eu-west-1";

/// What its clock says.
const NOW: TimestampMs = TimestampMs(1_795_348_800_000);

/// A server of the target's own.
pub struct Server {
    runtime: Runtime,
    app: Arc<App>,
    store: Store,
    log: RefCell<Follower>,
    _directory: TempDir,
}

/// A follower that only counts.
struct Nobody;

impl Follow for Nobody {
    fn forget(&mut self, _: PartitionId) {}
    fn rows(&mut self, _: PartitionId, _: Vec<Change>) {}
    fn entry(&mut self, _: PartitionId, _: LogEntry) {}
}

impl Server {
    /// An empty one, whose clock stands still and whose chance is the same each time.
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let directory = tempfile::tempdir().expect("room for a temporary directory");
        let location = Location::Sqlite(directory.path().join("rampart.db"));
        let (store, _) =
            runtime.block_on(Store::open(&location, Options::default())).expect("a store can be made");
        let log = RefCell::new(Follower::from_start(store.clone()));
        let settings = Settings::new(AuthMode::Open, account(0).parse().expect("twelve digits"));
        let app = App::new(store.clone(), settings, Some(MasterKey::generate()), repeatable());
        app.clock().set(NOW);
        let server = Self { runtime, app, store, log, _directory: directory };
        server.told();
        server
    }

    /// Calls an operation. Gives the answer's body, or the code of the error.
    pub fn call(
        &self,
        account: &str,
        operation: &'static Operation,
        query: &str,
        body: &[u8],
    ) -> Result<String, &'static str> {
        let caller = (account.parse().expect("twelve digits"), REGION.parse().expect("a Region"));
        let (query, body) = (query.to_owned(), Bytes::copy_from_slice(body));
        self.runtime.block_on(in_process::call(&self.app, caller, operation, query, body))
    }

    /// Calls an operation by its name with a body that it takes.
    pub fn must(&self, account: &str, name: &str, body: &Value) -> Value {
        let answer =
            self.call(account, operation(name).expect("an operation"), "", body.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|code| panic!("{name}: {code}"));
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// How many operations the change log told since the last time.
    pub fn told(&self) -> usize {
        let mut log = self.log.borrow_mut();
        self.runtime.block_on(log.poll(&mut Nobody)).expect("the log can be read")
    }

    /// Does what background work does, so that a call finds nothing of it left to do first.
    pub fn sweep(&self) {
        self.runtime.block_on(background::sweep(&self.app)).expect("the store can be tidied");
        self.told();
    }

    /// Forgets everything.
    pub fn empty(&self) {
        self.runtime.block_on(self.store.empty(NOW)).expect("a store can be emptied");
        self.told();
    }
}

/// The operation of that name, which answers; `service:Name` where several services have one.
pub fn operation(name: &str) -> Option<&'static Operation> {
    let (service, name) = name.split_once(':').map_or((None, name), |(service, name)| (Some(service), name));
    Operation::all()
        .filter(|operation| operation.is_built() && service.is_none_or(|of| operation.service.name() == of))
        .find(|operation| operation.name == name)
}

/// The id of an account of the targets'.
pub fn account(number: u8) -> String {
    format!("{:012}", 111_111_111_111_u64 * u64::from(number % 9 + 1))
}

/// Chance that is the same in each process: numbers counted up, and mixed.
fn repeatable() -> Entropy {
    let counter = std::sync::atomic::AtomicU64::new(0);
    Entropy::from_fn(move |bytes| {
        for chunk in bytes.chunks_mut(8) {
            let count = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mixed = (count + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 32)).to_le_bytes()[..chunk.len()]);
        }
    })
}
